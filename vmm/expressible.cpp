#include "vmm/expressible.h"

#include "vmm/kvm/machine_limits.h"
#include "vmm/qemu/machine_plan.h"

namespace ktstr::vmm {
namespace {

/// What kAuto has: QEMU everywhere, our own machine where KVM boots kernels.
Status expressible_somehow(const Topology& topology) {
  auto by_qemu = qemu::check_topology(topology, Accelerator::kTcg);
  if (by_qemu) return ok();
  auto by_kvm = kvm::check_topology(topology);
  if (!by_kvm)
    return Error{ErrorCode::kInvalidArgument, by_qemu.error().message + "; " + by_kvm.error().message};
  const auto missing = why_not_kvm();
  if (!missing) return ok();
  return Error{ErrorCode::kInvalidArgument,
               by_qemu.error().message + "; ktstr's own machine could, but not on this host: " + *missing};
}

}  // namespace

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
