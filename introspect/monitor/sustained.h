// SustainedViolationTracker: the longest run of consecutive violations.
#pragma once

#include <cstddef>

namespace ktstr::introspect {

/// Feed it every sample in order. One rule serves a verdict after the run and a reaction during it, so that
/// "sustained for N samples" means the same to both.
template <class Value>
class SustainedViolationTracker {
 public:
  /// `value`: the metric at sample `at`. True when this sample made the longest run so far.
  bool record(bool violated, Value value, std::size_t at) {
    consecutive_ = violated ? consecutive_ + 1 : 0;
    if (consecutive_ <= worst_run_) return false;
    worst_run_ = consecutive_;
    worst_value_ = value;
    worst_at_ = at;
    return true;
  }

  /// Whether the longest run has at least `samples` violations. 0 is met by every series.
  [[nodiscard]] bool sustained(std::size_t samples) const { return worst_run_ >= samples; }

  /// Length of the run of violations that the last record() belongs to; 0 after a sample that met the
  /// threshold.
  [[nodiscard]] std::size_t consecutive() const { return consecutive_; }
  [[nodiscard]] std::size_t worst_run() const { return worst_run_; }
  /// The metric at the last sample of the longest run (the first such run): not the largest value in it.
  [[nodiscard]] Value worst_value() const { return worst_value_; }
  /// The index of that sample.
  [[nodiscard]] std::size_t worst_at() const { return worst_at_; }

 private:
  std::size_t consecutive_ = 0;
  std::size_t worst_run_ = 0;
  Value worst_value_{};
  std::size_t worst_at_ = 0;
};

}  // namespace ktstr::introspect
