// Peers: workers of a group that can be compared with one another, and what excuses a difference.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/protocol/messages.h"
#include "engine/verdict/worker_group.h"

namespace ktstr::engine {

/// Workers of one role that asked for the same CPUs all their life: a fair scheduler gives them the same CPU
/// time. In order of spawning; the sets in order of their first worker.
[[nodiscard]] std::vector<std::vector<const protocol::WorkerReport*>> peers_among(
    std::span<const protocol::WorkerReport* const> reports);

/// Population standard deviation over mean; absent for fewer than two values or a mean of 0.
[[nodiscard]] std::optional<double> coefficient_of_variation(std::span<const double> values);

/// A load that can't be divided evenly, such as three workers on two CPUs: workers that always want to run,
/// more than there are CPUs for and no multiple of them. Unless they change
/// places, some share their CPU with one more than others do.
struct UnevenShare {
  std::size_t workers = 0;
  std::size_t cpus = 0;

  /// How far off-CPU shares then lie apart where the placement is as good as can be, percentage points.
  [[nodiscard]] double points() const;
  /// The off-CPU share of those that share with one more, %.
  [[nodiscard]] double most_off_cpu_pct() const;
};

/// By the scheduler's own account: on a CPU or waiting for one nine tenths of the time. False where it kept
/// none.
[[nodiscard]] bool always_wanted_to_run(const protocol::WorkerReport& report);

/// The load on the CPUs of `group`, its own and that of every one of `groups` with which it shares CPUs,
/// directly or through others; nullopt when it divides evenly.
[[nodiscard]] std::optional<UnevenShare> uneven_share(const WorkerGroup& group,
                                                      std::span<const WorkerGroup> groups);

}  // namespace ktstr::engine
