// WorkerGroup: the workers that were started together and are compared with one another.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// Workers of one work group of one cgroup, with what they reported. Workers of different groups are never
/// compared: they do different things, or were started at different times.
struct WorkerGroup {
  std::string cgroup;  ///< where they were started; "(host)" for the runner's own cgroup
  std::string work;    ///< the work type's name
  CpuSet allowed;      ///< every CPU that their cgroup's cpuset held at some time of their life
  std::vector<protocol::WorkerReport> reports;
};

/// A group as one line of a table. What can't be computed (no reports, no wake-ups) is absent.
struct GroupSummary {
  std::string cgroup;
  std::string work;
  std::uint64_t workers = 0;
  std::uint64_t work_units = 0;
  std::uint64_t iterations = 0;
  std::optional<double> cpu_pct{};     ///< mean over the workers of CPU time / wall time, %
  std::optional<double> spread_pct{};  ///< largest minus smallest off-CPU share, percentage points
  std::optional<std::uint64_t> longest_gap_ns{};
  std::uint64_t migrations = 0;
  std::optional<std::uint64_t> p99_wake_ns{};  ///< the worst worker's
};

/// A worker's off-CPU share, %; absent when it has no wall time.
[[nodiscard]] std::optional<double> off_cpu_pct(const protocol::WorkerReport& report);

[[nodiscard]] GroupSummary summarize(const WorkerGroup& group);

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::WorkerGroup> = record<engine::WorkerGroup>("WorkerGroup", "workers that were started together, with what they reported",
    field("cgroup", &engine::WorkerGroup::cgroup, "where they were started; \"(host)\" is the runner's own cgroup"),
    field("work", &engine::WorkerGroup::work, "the work type's name"),
    field("allowed", &engine::WorkerGroup::allowed, "CPUs that their cpuset held at some time of their life"),
    field("reports", &engine::WorkerGroup::reports, "one report for each worker"));
template <> inline constexpr auto describe<engine::GroupSummary> = record<engine::GroupSummary>("GroupSummary", "a worker group in one line",
    field("cgroup", &engine::GroupSummary::cgroup, "where the workers were started"),
    field("work", &engine::GroupSummary::work, "the work type's name"),
    field("workers", &engine::GroupSummary::workers, "how many"),
    field("work_units", &engine::GroupSummary::work_units, "work units of all workers"),
    field("iterations", &engine::GroupSummary::iterations, "iterations of all workers"),
    field("cpu_pct", &engine::GroupSummary::cpu_pct, "mean share of wall time on a CPU, %"),
    field("spread_pct", &engine::GroupSummary::spread_pct, "largest minus smallest off-CPU share, percentage points"),
    field("longest_gap_ns", &engine::GroupSummary::longest_gap_ns, "longest time without progress of any worker, ns"),
    field("migrations", &engine::GroupSummary::migrations, "CPU changes of all workers"),
    field("p99_wake_ns", &engine::GroupSummary::p99_wake_ns, "the worst worker's 99th percentile of wake-up latency, ns"));
// clang-format on
}  // namespace ktstr
