// Whether BPF schedulers can work on a kernel that was built with sched_ext.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include "engine/base/result.h"

namespace ktstr::engine {

/// Looks at the kernel's own description of the functions that every scheduler needs. Gives what makes
/// schedulers impossible, or nullopt when nothing does. Errors (kCorrupt): not BTF.
[[nodiscard]] Result<std::optional<std::string>> find_sched_ext_defect(std::span<const std::byte> btf);

}  // namespace ktstr::engine
