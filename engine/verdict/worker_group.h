// WorkerGroup: the workers that were started together and are compared with one another.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// Workers of one work group of one cgroup, with what they reported. Workers of different groups are never
/// compared: they do different things, or were started at different times.
struct WorkerGroup {
  std::string cgroup;
  std::string work;
  CpuSet allowed;
  std::vector<protocol::WorkerReport> reports;
  std::uint64_t started = 0;  ///< how many workers there were; fewer reports: the guest ended before the rest

  static consteval auto describe() {
    using T = WorkerGroup;
    return record("workers that were started together, with what they reported",
                  field<&T::cgroup>("where they were started; \"(host)\" is the runner's own cgroup"),
                  field<&T::work>("the work type's name"),
                  field<&T::allowed>("CPUs that their cpuset held at some time of their life"),
                  field<&T::reports>("one report for each worker of which anything is known"),
                  field<&T::started>("how many workers there were"));
  }
};

/// A group as one line of a table. What can't be computed (no reports, no wake-ups) is absent. Sums are of
/// the workers that reported.
struct GroupSummary {
  std::string cgroup;
  std::string work;
  std::uint64_t workers = 0;
  std::optional<std::uint64_t> work_units{};
  std::optional<std::uint64_t> iterations{};
  std::optional<double> cpu_pct{};
  /// Largest minus smallest off-CPU share among peers (peers.h), percentage points; of several sets of peers
  /// the largest.
  std::optional<double> spread_pct{};
  std::optional<std::uint64_t> longest_gap_ns{};
  std::optional<std::uint64_t> migrations{};
  std::optional<std::uint64_t> p99_wake_ns{};
  std::uint64_t reported = 0;

  static consteval auto describe() {
    using T = GroupSummary;
    return record(
        "a worker group in one line", field<&T::cgroup>("where the workers were started"),
        field<&T::work>("the work type's name"), field<&T::workers>("how many"),
        field<&T::work_units>("work units of the workers that reported; absent when none did"),
        field<&T::iterations>("their iterations"), field<&T::cpu_pct>("mean share of wall time on a CPU, %"),
        field<&T::spread_pct>(
            "largest minus smallest off-CPU share among workers of one role and affinity, percentage points"),
        field<&T::longest_gap_ns>("longest time without progress of any worker, ns"),
        field<&T::migrations>("their CPU changes"),
        field<&T::p99_wake_ns>("the worst worker's 99th percentile of wake-up latency, ns"),
        field<&T::reported>("workers whose reports are here"));
  }
};

/// A worker's off-CPU share, %; absent when it has no wall time.
[[nodiscard]] std::optional<double> off_cpu_pct(const protocol::WorkerReport& report);

/// The two workers whose off-CPU shares lie furthest apart.
struct Spread {
  const protocol::WorkerReport* least = nullptr;
  const protocol::WorkerReport* most = nullptr;

  /// Percentage points.
  [[nodiscard]] double points() const;
};

/// Absent for fewer than two workers with wall time.
[[nodiscard]] std::optional<Spread> off_cpu_spread(std::span<const protocol::WorkerReport* const> reports);

[[nodiscard]] GroupSummary summarize(const WorkerGroup& group);

}  // namespace ktstr::engine
