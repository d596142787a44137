// How much counters grew between two captures of one boot, thread by thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "introspect/ctprof/compare/aggregate.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// A thread whose counter fell takes no part.
struct Growth {
  std::uint64_t value = 0;
  std::uint64_t from = 0;  ///< what the same threads had before
  std::uint64_t threads = 0;
  std::uint64_t fallen = 0;  ///< threads whose counter fell

  /// Nothing is known but that it began anew.
  [[nodiscard]] bool is_reset() const { return threads == 0 && fallen > 0; }
};

/// Valid as long as the snapshot. Threads are the same when id and beginning are.
class GrowthSince {
 public:
  explicit GrowthSince(const Snapshot& before);

  /// Of the threads of a later capture; those that began since then count whole. Absent when no thread can be
  /// told about, or when the metric is no counter.
  [[nodiscard]] std::optional<Growth> of(const Metric& metric, Threads after) const;

 private:
  using Identity = std::pair<std::uint32_t, std::uint64_t>;
  [[nodiscard]] std::optional<std::uint64_t> value_before(const Metric& metric,
                                                          const ThreadRecord& thread) const;

  std::map<Identity, const ThreadRecord*> threads_;
  std::optional<std::uint64_t> captured_at_ticks_;
};

}  // namespace ktstr::introspect::ctprof
