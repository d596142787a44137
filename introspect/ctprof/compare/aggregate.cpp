#include "introspect/ctprof/compare/aggregate.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "engine/base/cpu_set.h"
#include "introspect/monitor/counter.h"

namespace ktstr::introspect::ctprof {
namespace {

template <Summable Q>
void add(Total& total, const Q& quantity) {
  total.value = saturating_add(total.value, quantity.value);
}
template <Greatest Q>
void add(Most& most, const Q& quantity) {
  most.value = std::max(most.value, quantity.value);
}

template <class Result, class Q>
Aggregate fold(Metric::Member<Q> member, Threads threads) {
  Result result{};
  bool any = false;
  for (const auto* thread : threads)
    if (const auto& quantity = thread->*member) add(result, *quantity), any = true;
  return any ? Aggregate(result) : Aggregate();
}

template <Ordinal Q>
Aggregate range(Metric::Member<Q> member, Threads threads) {
  std::optional<Range> range;
  for (const auto* thread : threads) {
    if (!(thread->*member)) continue;
    const std::int64_t value = (thread->*member)->value;
    if (!range) range = Range{value, value};
    range->lowest = std::min(range->lowest, value);
    range->highest = std::max(range->highest, value);
  }
  return range ? Aggregate(*range) : Aggregate();
}

std::string text_of(const Category& category) {
  return category.value;
}
std::string text_of(const StateLetter& letter) {
  return std::string(1, letter.value);
}
std::string text_of(const Flag& flag) {
  return flag.value ? "true" : "false";
}

template <Categorical Q>
Aggregate mode(Metric::Member<Q> member, Threads threads) {
  std::map<std::string, std::uint64_t> counts;
  Mode mode;
  for (const auto* thread : threads)
    if (const auto& quantity = thread->*member) ++counts[text_of(*quantity)], ++mode.of;
  if (counts.empty()) return {};
  const auto most = std::ranges::max_element(counts, {}, [](const auto& entry) { return entry.second; });
  std::tie(mode.value, mode.count) = *most;
  return mode;
}

Aggregate affinity(Metric::Member<CpuAffinity> member, Threads threads) {
  std::map<std::string, std::uint64_t> lists;  // few are different
  for (const auto* thread : threads)
    if (const auto& list = thread->*member) ++lists[list->value];
  if (lists.empty()) return {};
  CpuSet all;
  AffinityUnion result;
  result.fewest = CpuSet::kCapacity;
  for (const auto& [list, threads_with_it] : lists) {
    const auto cpus = CpuSet::parse(list);
    if (!cpus) continue;
    all = all | *cpus;
    result.fewest = std::min<std::uint64_t>(result.fewest, cpus->count());
    result.most = std::max<std::uint64_t>(result.most, cpus->count());
  }
  if (all.empty()) return {};
  result.cpus = all.to_string();
  result.uniform = lists.size() == 1;
  return result;
}

}  // namespace

Aggregate aggregate(const Metric& metric, Threads threads) {
  return std::visit(
      [&]<class Q>(Metric::Member<Q> member) -> Aggregate {
        if constexpr (Summable<Q>)
          return fold<Total>(member, threads);
        else if constexpr (Greatest<Q>)
          return fold<Most>(member, threads);
        else if constexpr (Ordinal<Q>)
          return range(member, threads);
        else if constexpr (Categorical<Q>)
          return mode(member, threads);
        else
          return affinity(member, threads);
      },
      metric.member);
}

std::optional<std::uint64_t> summable_value(const Metric& metric, const ThreadRecord& thread) {
  return std::visit(
      [&]<class Q>(Metric::Member<Q> member) -> std::optional<std::uint64_t> {
        if constexpr (Summable<Q>)
          if (const auto& quantity = thread.*member) return quantity->value;
        return std::nullopt;
      },
      metric.member);
}

std::optional<double> number_of(const Aggregate& aggregate) {
  if (const auto* total = std::get_if<Total>(&aggregate)) return static_cast<double>(total->value);
  if (const auto* most = std::get_if<Most>(&aggregate)) return static_cast<double>(most->value);
  if (const auto* derived = std::get_if<Derived>(&aggregate)) return derived->value;
  return std::nullopt;
}

}  // namespace ktstr::introspect::ctprof
