#include "introspect/ctprof/compare/leaves.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "introspect/ctprof/compare/leaf_kind.h"
#include "introspect/monitor/counter.h"

namespace ktstr::introspect::ctprof {
namespace {

bool is_no_limit(const Aggregate& leaf) {
  const auto* word = std::get_if<Mode>(&leaf);
  return word && word->value == "max";
}

/// A place in the order of values, in which no limit is above all numbers.
double level_of(const Aggregate& leaf) {
  return is_no_limit(leaf) ? std::numeric_limits<double>::infinity() : number_of(leaf).value_or(0);
}

std::int64_t whole(double number) {
  return static_cast<std::int64_t>(number);
}

Aggregate range_of(const Aggregate& a, const Aggregate& b) {
  const auto ends = [](const Aggregate& leaf) {
    const auto* range = std::get_if<Range>(&leaf);
    return range ? *range : Range{whole(number_of(leaf).value_or(0)), whole(number_of(leaf).value_or(0))};
  };
  const auto of_a = ends(a), of_b = ends(b);
  const Range both{std::min(of_a.lowest, of_b.lowest), std::max(of_a.highest, of_b.highest)};
  return both == of_a ? a : both == of_b ? b : Aggregate(both);
}

Aggregate merged(MergeRule rule, const Aggregate& a, const Aggregate& b) {
  switch (rule) {
    case MergeRule::kSum:
      return Total{saturating_add(std::get<Total>(a).value, std::get<Total>(b).value)};
    case MergeRule::kLeast:
      return level_of(b) < level_of(a) ? b : a;
    case MergeRule::kRange:
      return range_of(a, b);
    case MergeRule::kGreatest:
    case MergeRule::kCpuMax:
      return level_of(b) > level_of(a) ? b : a;
  }
  return a;
}

constexpr const char* kQuota = "cpu.max_quota_usec";
constexpr const char* kPeriod = "cpu.max_period_usec";

/// CPUs that the quota is; absent when it is not known.
std::optional<double> share_of(const Leaves& leaves) {
  const auto quota = leaves.find(kQuota), period = leaves.find(kPeriod);
  if (quota == leaves.end() || quota->second.index() == 0) return std::nullopt;
  const double length = period == leaves.end() ? 0 : level_of(period->second);
  return is_no_limit(quota->second) || length == 0 ? level_of(quota->second)
                                                   : level_of(quota->second) / length;
}

void merge_cpu_max(Leaves& into, const Leaves& from) {
  if (share_of(from) <= share_of(into)) return;
  for (const auto* name : {kQuota, kPeriod})
    if (const auto leaf = from.find(name); leaf != from.end()) into.insert_or_assign(name, leaf->second);
}

}  // namespace

bool LeafSink::Key(const char* text, rapidjson::SizeType size, bool) {
  path_.back().assign(text, size);
  return true;
}

bool LeafSink::StartObject() {
  path_.emplace_back();
  return true;
}

bool LeafSink::EndObject(rapidjson::SizeType) {
  path_.pop_back();
  return true;
}

std::string LeafSink::name() const {
  std::string name;
  for (const auto& part : path_) name.append(name.empty() ? "" : ".").append(part);
  return name;
}

bool LeafSink::Uint64(std::uint64_t value) {
  return put(leaf_kind(name()).counter ? Aggregate(Total{value}) : Aggregate(Most{value}));
}

bool LeafSink::put(Aggregate aggregate) {
  leaves_.insert_or_assign(name(), std::move(aggregate));
  return true;
}

void merge_leaves(Leaves& into, const Leaves& from) {
  merge_cpu_max(into, from);
  for (const auto& [name, leaf] : from) {
    const auto rule = leaf_kind(name).merge;
    if (rule == MergeRule::kCpuMax) continue;
    auto& there = into[name];
    if (there.index() == 0)
      there = leaf;
    else if (leaf.index() != 0)
      there = merged(rule, there, leaf);
  }
}

}  // namespace ktstr::introspect::ctprof
