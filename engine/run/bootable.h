// What keeps a scenario from booting on this host, found out without booting.
#pragma once

#include "engine/base/result.h"
#include "engine/scenario/scenario.h"
#include "vmm/backend.h"

namespace ktstr::engine {

/// Errors (kInvalidArgument) begin with the scenario's member: a topology that `backend` can't make (vmm::
/// expressible(), which may probe KVM), more memory than the host has with its swap, kernel arguments longer
/// than Linux takes.
[[nodiscard]] Status check_bootable(const Scenario& scenario, vmm::Backend backend);

}  // namespace ktstr::engine
