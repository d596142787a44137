// Which topologies the backends can make.
#pragma once

#include "engine/base/result.h"
#include "vmm/backend.h"
#include "vmm/topology.h"

namespace ktstr::vmm {

/// Whether `backend` can make a machine of this topology here; kAuto: whether any that start_machine() would
/// take can. Errors (kInvalidArgument) name the topology, each backend that was asked and its limit. Memory
/// is not looked at: see plan_banks(). Precondition: topology.check(). May probe KVM (why_not_kvm()), but
/// only where the answer hangs on it.
[[nodiscard]] Status expressible(Backend backend, const Topology& topology);

}  // namespace ktstr::vmm
