// Loads that can't be divided evenly: three workers on two CPUs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "engine/verdict/worker_group.h"

namespace ktstr::engine {

/// Workers that always want to run, more than there are CPUs for and no multiple of them. Unless they change
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
