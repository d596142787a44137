// The BPF object of the scheduler that runs, told from others that are loaded or kept alive.
#pragma once

#include <optional>
#include <vector>

#include "introspect/bpf/active_object.h"
#include "introspect/scx/exit_reader.h"

namespace ktstr::introspect {

/// From scx_root to its struct_ops map, from there to the programs that it calls, and to the maps that these
/// use. nullopt: no scheduler runs, or one of the steps can't be read; find_active_object() still tells which
/// one is loaded, if it is only one. Precondition: `exits` is of this kernel.
[[nodiscard]] std::optional<ActiveObject> find_running_object(const Kernel& kernel, const BpfLayouts& layouts,
                                                              const ScxExitReader& exits,
                                                              const std::vector<BpfMapInfo>& maps,
                                                              const std::vector<BpfProgInfo>& programs);

}  // namespace ktstr::introspect
