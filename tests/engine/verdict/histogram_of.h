// A worker's report with these wake-up latencies, as an agent counts them.
#pragma once

#include <algorithm>
#include <vector>

#include "engine/protocol/messages.h"

namespace ktstr::engine::testing {

inline void count_latencies(protocol::WorkerReport& report, const std::vector<std::uint64_t>& latencies_ns) {
  std::vector<std::uint32_t> counts(protocol::kLatencyBuckets);
  for (const auto ns : latencies_ns) ++counts[protocol::latency_bucket(ns)];
  report.wake_histogram = protocol::make_histogram(counts);
  report.wake_latencies_total = latencies_ns.size();
  report.wake_latency_max_ns = std::ranges::max(latencies_ns);
}

}  // namespace ktstr::engine::testing
