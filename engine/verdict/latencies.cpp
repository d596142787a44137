#include "engine/verdict/latencies.h"

#include <algorithm>
#include <cmath>

namespace ktstr::engine {
namespace {

using protocol::WorkerReport;

/// Goes through a histogram by rank. The lists come from a guest: they may differ in length.
class Ranks {
 public:
  explicit Ranks(const WorkerReport& report)
      : report_(report),
        buckets_(std::min(report.wake_histogram.upto_ns.size(), report.wake_histogram.counts.size())) {
    for (std::size_t i = 0; i < buckets_; ++i) total_ += count(i);
  }
  [[nodiscard]] double total() const { return total_; }
  [[nodiscard]] std::size_t buckets() const { return buckets_; }
  [[nodiscard]] double count(std::size_t bucket) const {
    return static_cast<double>(report_.wake_histogram.counts[bucket]);
  }
  /// The middle of a bucket.
  [[nodiscard]] double middle(std::size_t bucket) const {
    const auto end = report_.wake_histogram.upto_ns[bucket];
    const auto index = protocol::latency_bucket(end);
    const auto before = index == 0 ? 0 : protocol::latency_bucket_end(index - 1) + 1;
    return (static_cast<double>(before) + static_cast<double>(end)) / 2;
  }
  /// The latency of a rank from 1. Precondition: ranks of successive calls ascend, none is above total().
  [[nodiscard]] std::uint64_t at(double rank) {
    while (bucket_ + 1 < buckets_ && passed_ + count(bucket_) < rank) passed_ += count(bucket_++);
    const auto end = report_.wake_histogram.upto_ns[bucket_];
    return std::min(end, report_.wake_latency_max_ns.value_or(end));
  }

 private:
  const WorkerReport& report_;
  std::size_t buckets_;
  double total_ = 0;
  std::size_t bucket_ = 0;
  double passed_ = 0;  ///< latencies in the buckets before
};

}  // namespace

std::optional<std::uint64_t> wake_percentile(const WorkerReport& report, double percent) {
  Ranks ranks(report);
  if (ranks.total() == 0) return std::nullopt;
  return ranks.at(std::clamp(std::ceil(percent / 100 * ranks.total()), 1.0, ranks.total()));
}

std::optional<double> wake_latency_cv(const WorkerReport& report) {
  const Ranks ranks(report);
  if (ranks.total() < 2) return std::nullopt;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < ranks.buckets(); ++i) sum += ranks.count(i) * ranks.middle(i);
  const double mean = sum / ranks.total();
  if (mean == 0) return std::nullopt;
  for (std::size_t i = 0; i < ranks.buckets(); ++i)
    squares += ranks.count(i) * (ranks.middle(i) - mean) * (ranks.middle(i) - mean);
  return std::sqrt(squares / ranks.total()) / mean;
}

std::vector<std::uint64_t> list_wake_latencies(const WorkerReport& report, std::size_t count) {
  Ranks ranks(report);
  const auto listed = std::min(static_cast<double>(count), ranks.total());
  std::vector<std::uint64_t> latencies;
  for (double i = 0; i < listed; ++i)
    latencies.push_back(ranks.at(std::floor((i + 0.5) * ranks.total() / listed) + 1));
  return latencies;
}

}  // namespace ktstr::engine
