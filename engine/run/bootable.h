// What keeps a scenario from booting on this host or with a kernel, found out without booting.
#pragma once

#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/scenario/scenario.h"
#include "vmm/backend.h"
#include "vmm/kernels/metadata.h"

namespace ktstr::engine {

/// Errors (kInvalidArgument) begin with the scenario's member: a topology that `backend` can't make (vmm::
/// expressible(), which may probe KVM), more memory than the host has with its swap, kernel arguments longer
/// than Linux takes.
[[nodiscard]] Status check_bootable(const Scenario& scenario, vmm::Backend backend);

/// Why the kernel can't run the scenario, a sentence for the report of a skipped run; nullopt when it can.
[[nodiscard]] std::optional<std::string> unmet_requirement(const Scenario& scenario,
                                                           const vmm::KernelMetadata& kernel);

}  // namespace ktstr::engine
