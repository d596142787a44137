// Names of cgroups as scenarios and messages may use them.
#pragma once

#include <string_view>

#include "engine/base/result.h"

namespace ktstr::engine::protocol {

/// Accepts what the kernel takes for a directory: "web", "user.slice/user@1000.service" (a nested cgroup),
/// parts of at most 255 bytes joined by single slashes, at most 32 of them. Refuses what could name anything
/// but a directory below the agent's root ("", "/a", "a/", "..", "a/../b"), control characters (the kernel
/// refuses only the newline), and what would meet the kernel's own files: a part must not begin with
/// "cgroup." or the name of a controller and a dot ("cpu.max"). Errors: kInvalidArgument with the name and
/// the rule it breaks.
[[nodiscard]] Status check_cgroup_name(std::string_view name);

}  // namespace ktstr::engine::protocol
