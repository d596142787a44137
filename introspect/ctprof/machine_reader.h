// Reading what a capture holds beside threads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "introspect/ctprof/machine_stats.h"

namespace ktstr::introspect::ctprof {

/// The directory of a cgroup v2 hierarchy; each of its files that is missing leaves its members absent.
[[nodiscard]] CgroupStats read_cgroup_stats(const std::filesystem::path& directory);

/// /proc/pressure. The kernel writes the system's cpu.full as zeros, without a meaning: it is absent.
[[nodiscard]] Pressure read_system_pressure(const std::filesystem::path& proc);

/// Nothing without `sys`/kernel/sched_ext.
[[nodiscard]] std::optional<SchedExtState> read_sched_ext(const std::filesystem::path& sys);

/// Below `sys`, where the v2 hierarchy is mounted: fs/cgroup, or fs/cgroup/unified beside the old
/// hierarchies.
[[nodiscard]] std::filesystem::path find_cgroup_root(const std::filesystem::path& sys);

}  // namespace ktstr::introspect::ctprof
