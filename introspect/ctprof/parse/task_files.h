// Parsers of /proc/PID/task/TID/*. Each takes a file's whole text and fills what the table of metrics reads
// from it; what is missing, cut off or not a number becomes or stays absent. They hold nothing and call
// nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "introspect/ctprof/thread_record.h"

namespace ktstr::introspect::ctprof {

/// What stat says beside the metrics.
struct StatFacts {
  /// Whether it is a thread of the kernel's own (PF_KTHREAD of include/linux/sched.h).
  std::optional<bool> kernel_thread{};
};

/// Also fills start_time_clock_ticks.
StatFacts parse_stat(std::string_view text, ThreadRecord& record);

void parse_schedstat(std::string_view text, ThreadRecord& record);
void parse_status(std::string_view text, ThreadRecord& record);
void parse_io(std::string_view text, ThreadRecord& record);

/// Returns how many times were negative, which is what a clock that was set back leaves: they are absent.
std::uint64_t parse_sched(std::string_view text, ThreadRecord& record);

/// KiB by name. Nothing when there is not one line of that kind.
[[nodiscard]] std::optional<std::map<std::string, std::uint64_t>> parse_smaps_rollup(std::string_view text);

/// The path in the v2 hierarchy (the line "0::"), as valid UTF-8.
[[nodiscard]] std::optional<std::string> parse_cgroup_path(std::string_view text);

}  // namespace ktstr::introspect::ctprof
