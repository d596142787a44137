#include "vmm/backend.h"

#include "vmm/kernels/cache.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/kvm_machine.h"
#include "vmm/kvm/probe_memory.h"
#include "vmm/qemu/machine_plan.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm {
namespace {

/// What kAuto has: QEMU everywhere, our own machine where KVM boots kernels.
Status expressible_somehow(const Topology& topology) {
  auto by_qemu = qemu::check_topology(topology, Accelerator::kTcg);
  if (by_qemu) return ok();
  auto by_kvm = kvm::check_topology(topology);
  if (!by_kvm) return invalid_argument(by_qemu.error().message + "; " + by_kvm.error().message);
  const auto missing = why_not_kvm();
  if (!missing) return ok();
  return invalid_argument(by_qemu.error().message +
                          "; ktstr's own machine could, but not on this host: " + *missing);
}

}  // namespace

std::optional<std::string> why_not_kvm() {
  static const auto reason = []() -> std::optional<std::string> {
    const auto directory = KernelCache::default_directory();
    const auto probed = directory ? kvm::remembered_probe(*directory) : kvm::probe_kvm();
    if (probed) return std::nullopt;
    return probed.error().message;
  }();
  return reason;
}

Result<std::unique_ptr<Machine>> start_machine(MachineConfig config, Backend backend) {
  const auto no_kvm = backend == Backend::kQemu ? std::nullopt : why_not_kvm();
  if (no_kvm && backend != Backend::kQemu && backend != Backend::kAuto)
    return Error{ErrorCode::kUnavailable, "backend " + std::string(enum_name(backend)) +
                                              " does not work on this host: " + *no_kvm +
                                              "; --backend qemu emulates a machine"};
  if (backend == Backend::kKvm || (backend == Backend::kAuto && !no_kvm))
    return KTSTR_TRY(kvm::KvmMachine::start(config));
  if (const auto only_own = not_on_qemu(config.performance); only_own && backend == Backend::kAuto)
    return Error{ErrorCode::kUnavailable,
                 *only_own + " are to be had on ktstr's own machine only, and " + *no_kvm};
  config.accelerator = backend == Backend::kQemuKvm ? Accelerator::kKvm : Accelerator::kTcg;
  return start_qemu(config);
}

Status expressible(Backend backend, const Topology& topology) {
  switch (backend) {
    case Backend::kKvm:
      return kvm::check_topology(topology);
    case Backend::kQemu:
      return qemu::check_topology(topology, Accelerator::kTcg);
    case Backend::kQemuKvm:
      return qemu::check_topology(topology, Accelerator::kKvm);
    case Backend::kAuto:
      break;
  }
  return expressible_somehow(topology);
}

}  // namespace ktstr::vmm
