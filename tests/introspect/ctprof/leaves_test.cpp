// Cgroups that go by one name, and what their numbers are.
#include "introspect/ctprof/compare/leaves.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "introspect/ctprof/compare/compare.h"
#include "tests/introspect/ctprof/threads.h"

namespace ktstr::introspect::ctprof {
namespace {

const Aggregate kNoLimit = Mode{"max", 1, 1};

/// In both orders, which must not matter.
Leaves merged(const CgroupStats& a, const CgroupStats& b) {
  auto one = leaves_of(a), other = leaves_of(b);
  auto there = one;
  merge_leaves(there, other);
  merge_leaves(other, one);
  CHECK(there == other);
  return there;
}

CgroupStats with_limits(std::optional<std::uint64_t> bytes) {
  CgroupStats stats;
  stats.memory.max = stats.memory.high = stats.memory.low = stats.memory.min = stats.pids.max = Limit{bytes};
  return stats;
}

CgroupStats with_cpu_max(Limit quota, std::uint64_t period) {
  CgroupStats stats;
  stats.cpu.max_quota_usec = quota;
  stats.cpu.max_period_usec = period;
  return stats;
}

}  // namespace

TEST_CASE("of upper limits the greatest stands, and none is the greatest") {
  for (const auto* name : {"memory.max", "memory.high", "pids.max"}) {
    CHECK(merged(with_limits(5), with_limits({})).at(name) == kNoLimit);
    CHECK(merged(with_limits(5), with_limits(7)).at(name) == Aggregate(Most{7}));
    CHECK(merged(with_limits({}), with_limits({})).at(name) == kNoLimit);
  }
}

TEST_CASE("of protections the least stands: what each is sure of") {
  for (const auto* name : {"memory.low", "memory.min"}) {
    CHECK(merged(with_limits(5), with_limits(7)).at(name) == Aggregate(Most{5}));
    CHECK(merged(with_limits(0), with_limits(7)).at(name) == Aggregate(Most{0}));
    CHECK(merged(with_limits(5), with_limits({})).at(name) == Aggregate(Most{5}));
    CHECK(merged(with_limits({}), with_limits({})).at(name) == kNoLimit);
  }
}

TEST_CASE("a quota and its period are of one cgroup, the one with the greatest share of a CPU") {
  // 50 % and 40 %: the greater quota is the smaller share.
  const auto shares = merged(with_cpu_max({50}, 100), with_cpu_max({400}, 1000));
  CHECK(shares.at("cpu.max_quota_usec") == Aggregate(Most{50}));
  CHECK(shares.at("cpu.max_period_usec") == Aggregate(Most{100}));
  const auto none = merged(with_cpu_max({}, 100), with_cpu_max({4000}, 1000));
  CHECK(none.at("cpu.max_quota_usec") == kNoLimit);
  CHECK(none.at("cpu.max_period_usec") == Aggregate(Most{100}));
  const auto unknown = merged(with_cpu_max({30}, 100), CgroupStats{});
  CHECK(unknown.at("cpu.max_quota_usec") == Aggregate(Most{30}));
}

TEST_CASE("weights have a range, counters add up, what one does not say is the other's") {
  CgroupStats a, b;
  a.cpu.weight = 100, b.cpu.weight = 400;
  a.cpu.weight_nice = 0, b.cpu.weight_nice = -5;
  a.memory.events = {{"oom", 2}}, b.memory.events = {{"oom", 3}};
  a.memory.stat = {{"pgfault", 1}, {"anon", 4}}, b.memory.stat = {{"pgfault", 2}, {"anon", 9}};
  a.memory.current = 7;
  const auto both = merged(a, b);
  CHECK(both.at("cpu.weight") == Aggregate(Range{100, 400}));
  CHECK(both.at("cpu.weight_nice") == Aggregate(Range{-5, 0}));
  CHECK(both.at("memory.events.oom") == Aggregate(Total{5}));
  CHECK(both.at("memory.stat.pgfault") == Aggregate(Total{3}));
  CHECK(both.at("memory.stat.anon") == Aggregate(Most{9}));
  CHECK(both.at("memory.current") == Aggregate(Most{7}));
  CHECK(merged(a, a).at("cpu.weight") == Aggregate(Most{100}));
}

TEST_CASE("three cgroups merge as two do") {
  auto there = leaves_of(with_limits(5));
  merge_leaves(there, leaves_of(with_limits({})));
  merge_leaves(there, leaves_of(with_limits(9)));
  CHECK(there.at("memory.max") == kNoLimit);
  CHECK(there.at("memory.low") == Aggregate(Most{5}));
}

TEST_CASE("rows of cgroups and of pressure have units") {
  auto before = test::snapshot(1, {}), after = test::snapshot(2, {});
  auto& stats = after.cgroup_stats["/a"];
  stats.cpu.usage_usec = 9, stats.cpu.nr_throttled = 1, stats.cpu.throttled_usec = 2;
  stats.cpu.max_quota_usec = Limit{50}, stats.cpu.max_period_usec = 100, stats.cpu.weight = 100;
  stats.memory.current = 4096, stats.memory.max = Limit{8192};
  stats.memory.stat = {{"anon", 4096}, {"pgfault", 3}, {"workingset_refault_file", 2}, {"zswap", 1}};
  stats.memory.events = {{"oom", 1}};
  stats.pids.current = 3;
  stats.pressure.cpu = after.pressure.io = PsiResource{PsiHalf{150, 2, 3, 4}, {}};
  const auto comparison = compare(before, after, {});
  const auto unit = [&](const std::string& metric) {
    const auto row = std::ranges::find(comparison.rows, metric, &Row::metric);
    REQUIRE_MESSAGE(row != comparison.rows.end(), metric);
    return row->unit;
  };
  for (const auto* name : {"cpu.usage_usec", "cpu.throttled_usec", "cpu.max_quota_usec",
                           "cpu.max_period_usec", "pressure.cpu.some.total_usec", "io.some.total_usec"})
    CHECK(unit(name) == "us");
  for (const auto* name : {"memory.current", "memory.max", "memory.stat.anon", "memory.stat.zswap"})
    CHECK(unit(name) == "bytes");
  for (const auto* name : {"pressure.cpu.some.avg10", "io.some.avg300"}) CHECK(unit(name) == "percent/100");
  for (const auto* name : {"cpu.nr_throttled", "cpu.weight", "memory.stat.pgfault", "memory.events.oom",
                           "memory.stat.workingset_refault_file", "pids.current"})
    CHECK(unit(name).empty());
}

}  // namespace ktstr::introspect::ctprof
