// A log-linear histogram of latencies: what a worker counts into, and what its report carries.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

/// Each power of two is divided into this many buckets of equal width; below it every value has its own. A
/// value's bucket ends less than 1/32 (3.2 %) above it.
inline constexpr unsigned kBucketBits = 5;
inline constexpr std::size_t kBucketsPerOctave = 1U << kBucketBits;
inline constexpr std::size_t kLatencyBuckets = (64 - kBucketBits + 1) * kBucketsPerOctave;

[[nodiscard]] constexpr std::size_t latency_bucket(std::uint64_t ns) {
  if (ns < kBucketsPerOctave) return ns;
  const auto shift = static_cast<unsigned>(std::bit_width(ns)) - 1 - kBucketBits;
  return (shift + 1) * kBucketsPerOctave + ((ns >> shift) - kBucketsPerOctave);
}
/// The greatest value of a bucket. Precondition: bucket < kLatencyBuckets.
[[nodiscard]] constexpr std::uint64_t latency_bucket_end(std::size_t bucket) {
  if (bucket < kBucketsPerOctave) return bucket;
  const auto shift = bucket / kBucketsPerOctave - 1;
  const auto begin = (kBucketsPerOctave + bucket % kBucketsPerOctave) << shift;
  return begin + (std::uint64_t{1} << shift) - 1;
}

/// The buckets that are not empty, ascending: the greatest latency of each, and how many fell into it.
struct LatencyHistogram {
  std::vector<std::uint64_t> upto_ns;
  std::vector<std::uint64_t> counts;

  static consteval auto describe() {
    using T = LatencyHistogram;
    return record(
        "how many latencies fell into which bucket; 32 buckets for each power of two, empty ones left out",
        field<&T::upto_ns>("each bucket's greatest latency, ascending, ns"),
        field<&T::counts>("how many latencies each holds"));
  }
};

/// `counts` has kLatencyBuckets elements.
[[nodiscard]] inline LatencyHistogram make_histogram(std::span<const std::uint32_t> counts) {
  LatencyHistogram histogram;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    histogram.upto_ns.push_back(latency_bucket_end(bucket));
    histogram.counts.push_back(counts[bucket]);
  }
  return histogram;
}

}  // namespace ktstr::engine::protocol
