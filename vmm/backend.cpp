#include "vmm/backend.h"

#include "vmm/kernels/cache.h"
#include "vmm/kvm/kvm_machine.h"
#include "vmm/kvm/probe_memory.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm {

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
  if (backend == Backend::kKvm || (backend == Backend::kAuto && !no_kvm)) return start_kvm(config);
  if (const auto only_own = not_on_qemu(config.performance); only_own && backend == Backend::kAuto)
    return Error{ErrorCode::kUnavailable,
                 *only_own + " are to be had on ktstr's own machine only, and " + *no_kvm};
  config.accelerator = backend == Backend::kQemuKvm ? Accelerator::kKvm : Accelerator::kTcg;
  return start_qemu(config);
}

}  // namespace ktstr::vmm
