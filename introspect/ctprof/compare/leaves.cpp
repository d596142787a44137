#include "introspect/ctprof/compare/leaves.h"

#include <fnmatch.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "introspect/monitor/counter.h"

namespace ktstr::introspect::ctprof {
namespace {

using enum MergeRule;

// Documentation/admin-guide/cgroup-v2.rst; which of memory.stat are bytes: memcg_page_state_unit() of
// mm/memcontrol.c. Names of pressure end alike for the system, where it begins with the resource.
constexpr LeafKind kKinds[] = {
    {"cpu.usage_usec", "us", kSum, true},
    {"cpu.nr_throttled", "", kSum, true},
    {"cpu.throttled_usec", "us", kSum, true},
    {"cpu.max_*_usec", "us", kCpuMax},
    {"cpu.weight*", "", kRange},
    {"memory.low", "bytes", kLeast},
    {"memory.min", "bytes", kLeast},
    {"memory.events.*", "", kSum, true},
    {"memory.stat.pg*", "", kSum, true},
    {"memory.stat.workingset_*", "", kSum, true},
    {"memory.stat.thp_*", "", kSum, true},
    {"memory.stat.numa_*", "", kSum, true},
    {"memory.stat.zswp*", "", kSum, true},
    {"memory.stat.swpin_zero", "", kSum, true},
    {"memory.stat.swpout_zero", "", kSum, true},
    {"memory.*", "bytes", kGreatest},
    {"*.total_usec", "us", kSum, true},
    {"*.avg10", "percent/100", kGreatest},
    {"*.avg60", "percent/100", kGreatest},
    {"*.avg300", "percent/100", kGreatest},
    {"hotplug_seq", "", kSum, true},
    {"enable_seq", "", kSum, true},
    {"*", "", kGreatest},
};

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

const LeafKind& leaf_kind(std::string_view name) {
  const std::string text(name);
  const auto* kind = kKinds;
  while (::fnmatch(std::string(kind->pattern).c_str(), text.c_str(), 0) != 0) ++kind;  // the last one fits
  return *kind;
}

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
