#include "engine/protocol/latency_histogram.h"

#include <doctest/doctest.h>

#include <vector>

namespace ktstr::engine::protocol {

TEST_CASE("every latency lies in a bucket that ends less than 1/32 above it") {
  for (std::uint64_t ns = 0; ns < 5'000; ++ns) {
    const auto end = latency_bucket_end(latency_bucket(ns));
    REQUIRE(end >= ns);
    REQUIRE(static_cast<double>(end - ns) <= static_cast<double>(ns) / 32);
  }
  for (unsigned bit = 6; bit < 64; ++bit)
    for (const std::uint64_t ns :
         {(std::uint64_t{1} << bit) - 1, std::uint64_t{1} << bit, (std::uint64_t{3} << bit) / 2}) {
      const auto bucket = latency_bucket(ns);
      REQUIRE(bucket < kLatencyBuckets);
      REQUIRE(latency_bucket_end(bucket) >= ns);
      REQUIRE(static_cast<double>(latency_bucket_end(bucket) - ns) <= static_cast<double>(ns) / 32);
    }
}

TEST_CASE("buckets follow one another without a gap, from 0 to the greatest latency there is") {
  CHECK(latency_bucket(0) == 0);
  for (std::size_t bucket = 0; bucket + 1 < kLatencyBuckets; ++bucket) {
    REQUIRE(latency_bucket(latency_bucket_end(bucket)) == bucket);
    REQUIRE(latency_bucket(latency_bucket_end(bucket) + 1) == bucket + 1);
  }
  CHECK(latency_bucket_end(kLatencyBuckets - 1) == ~std::uint64_t{0});
}

TEST_CASE("a histogram holds the buckets that are not empty") {
  std::vector<std::uint32_t> counts(kLatencyBuckets);
  counts[latency_bucket(7)] = 2;
  counts[latency_bucket(1000)] = 1;
  const auto histogram = make_histogram(counts);
  CHECK(histogram.upto_ns == std::vector<std::uint64_t>{7, 1007});
  CHECK(histogram.counts == std::vector<std::uint64_t>{2, 1});
  CHECK(sizeof(std::uint32_t) * kLatencyBuckets <= 8192);
}

}  // namespace ktstr::engine::protocol
