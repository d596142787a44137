// Names of cgroups taken apart, and the files of a cgroup directory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// More than any control file that is read whole.
inline constexpr std::size_t kControlFileLimit = 1U << 20;

/// "a", "a/b", "a/b/c" for "a/b/c".
[[nodiscard]] std::vector<std::string> path_to(std::string_view name);

/// Whether the cgroup `name` lies below `ancestor`.
[[nodiscard]] bool is_below(std::string_view name, std::string_view ancestor);

/// Waits up to 2 s until the cgroup.events file at `path` has `line`. Errors: kTimeout, kIo.
[[nodiscard]] Status wait_for_event(const std::string& path, std::string_view line);

}  // namespace ktstr::engine::guest
