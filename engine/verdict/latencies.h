// What a worker's histogram of wake-up latencies tells. A bucket of it is less than 1/32 wide
// (protocol/latency_histogram.h); no percentile is below the true one, and none is above the longest latency.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// The nearest-rank percentile (0 < percent <= 100); absent when there were no wake-ups.
[[nodiscard]] std::optional<std::uint64_t> wake_percentile(const protocol::WorkerReport& report,
                                                           double percent);

/// Population standard deviation over mean; absent for fewer than two wake-ups or a mean of 0.
[[nodiscard]] std::optional<double> wake_latency_cv(const protocol::WorkerReport& report);

/// At most `count` latencies, evenly spread by rank, ascending.
[[nodiscard]] std::vector<std::uint64_t> list_wake_latencies(const protocol::WorkerReport& report,
                                                             std::size_t count);

}  // namespace ktstr::engine
