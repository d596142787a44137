// What a scenario needs of a kernel before it makes sense to boot it.
#pragma once

#include <optional>
#include <string>

#include "engine/scenario/scenario.h"
#include "vmm/kernels/metadata.h"

namespace ktstr::engine {

/// Why the kernel can't run the scenario, a sentence for the report of a skipped run; nullopt when it can.
[[nodiscard]] std::optional<std::string> unmet_requirement(const Scenario& scenario,
                                                           const vmm::KernelMetadata& kernel);

}  // namespace ktstr::engine
