// Reading what a capture holds beside threads.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "introspect/ctprof/machine_stats.h"

namespace ktstr::introspect::ctprof {

/// A cgroup ("/a/b") of the v2 hierarchy below `root`; each of its files that is missing leaves its members
/// absent. The hierarchy's own root has the system's pressure.
[[nodiscard]] CgroupStats read_cgroup_stats(const std::filesystem::path& root, const std::string& cgroup);

/// /proc/pressure. The kernel writes the system's cpu.full as zeros, without a meaning: it is absent.
[[nodiscard]] Pressure read_system_pressure(const std::filesystem::path& proc);

/// Nothing without `sys`/kernel/sched_ext.
[[nodiscard]] std::optional<SchedExtState> read_sched_ext(const std::filesystem::path& sys);

/// Below `sys`, where the v2 hierarchy is mounted: fs/cgroup, or fs/cgroup/unified beside the old
/// hierarchies.
[[nodiscard]] std::filesystem::path find_cgroup_root(const std::filesystem::path& sys);

}  // namespace ktstr::introspect::ctprof
