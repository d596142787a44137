// The table of metrics: capture, JSON, show, compare, metric-list and the documents all go by it.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "introspect/ctprof/metric.h"

namespace ktstr::introspect::ctprof {

/// Every metric, in the order of ThreadRecord and of all output.
[[nodiscard]] std::span<const Metric> metrics();
/// The metric of that name, or nullptr.
[[nodiscard]] const Metric* find_metric(std::string_view name);

/// The metrics of one file, found by key or ordinal. Built once, valid for the life of the program.
class SourceIndex {
 public:
  [[nodiscard]] static const SourceIndex& of(SourceFile file);

  [[nodiscard]] std::span<const Metric* const> all() const { return metrics_; }
  /// The metric with this key, or nullptr.
  [[nodiscard]] const Metric* find(std::string_view key) const;

 private:
  explicit SourceIndex(SourceFile file);
  std::vector<const Metric*> metrics_;  ///< by key, then by place
};

}  // namespace ktstr::introspect::ctprof
