#include "engine/protocol/latency_histogram.h"

namespace ktstr::engine::protocol {

LatencyHistogram make_histogram(std::span<const std::uint32_t> counts) {
  LatencyHistogram histogram;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    histogram.upto_ns.push_back(latency_bucket_end(bucket));
    histogram.counts.push_back(counts[bucket]);
  }
  return histogram;
}

}  // namespace ktstr::engine::protocol
