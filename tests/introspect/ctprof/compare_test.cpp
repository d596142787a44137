#include "introspect/ctprof/compare/compare.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "tests/introspect/ctprof/threads.h"

namespace ktstr::introspect::ctprof {
namespace {

using test::snapshot;
using test::thread;

ThreadRecord running(std::uint32_t tid, const std::string& pcomm, std::uint64_t ns) {
  auto record = thread(tid, pcomm);
  record.run_time_ns = MonotonicNs{ns};
  return record;
}

const Row& row_of(const Comparison& comparison, const std::string& group, const std::string& metric) {
  const auto found = std::ranges::find_if(
      comparison.rows, [&](const Row& row) { return row.group == group && row.metric == metric; });
  REQUIRE(found != comparison.rows.end());
  return *found;
}

bool says(const Comparison& comparison, const std::string& text) {
  return std::ranges::any_of(comparison.notes,
                             [&](const auto& note) { return note.find(text) != std::string::npos; });
}

}  // namespace

TEST_CASE("names that differ in numbers only are one, a name of its own is kept") {
  CHECK(name_pattern("kworker/12:1H-kblockd") == "kworker/{N}:{N}H-kblockd");
  NamePatterns patterns;
  for (const auto* name : {"worker-7", "worker-12", "python3"}) patterns.add(name);
  CHECK(patterns.of("worker-7") == "worker-{N}");
  CHECK(patterns.of("python3") == "python3");
}

TEST_CASE("threads are grouped on every axis") {
  auto a = thread(1, "db", "w-1"), b = thread(2, "db", "w-2"), c = thread(3, "web", "w-1");
  a.cgroup = "/pods/x/app";
  b.cgroup = "/pods/y/app";
  const auto made = snapshot(1, {a, b, c});
  const Snapshot* snapshots[] = {&made};
  const auto sizes = [&](const GroupOptions& options) {
    std::map<std::string, std::size_t> counts;
    const auto groups = group_threads(snapshots, options);
    for (const auto& [name, threads] : groups[0]) counts[name] = threads.size();
    return counts;
  };
  using Sizes = std::map<std::string, std::size_t>;
  CHECK(sizes({GroupBy::kAll, true, {}}) == Sizes{{"all", 3}});
  CHECK(sizes({GroupBy::kPcomm, true, {}}) == Sizes{{"db", 2}, {"web", 1}});
  CHECK(sizes({GroupBy::kComm, true, {}}) == Sizes{{"w-{N}", 3}});
  CHECK(sizes({GroupBy::kComm, false, {}}) == Sizes{{"w-1", 2}, {"w-2", 1}});
  CHECK(sizes({GroupBy::kCommExact, true, {}}) == Sizes{{"w-1", 2}, {"w-2", 1}});
  CHECK(sizes({GroupBy::kCgroup, true, {"/pods/*/app"}}) == Sizes{{"-", 1}, {"/pods/*/app", 2}});
}

TEST_CASE("a glob's star stops at a slash") {
  CHECK(flatten_cgroup("/a/b/c", std::vector<std::string>{"/a/*"}) == "/a/b/c");
  CHECK(flatten_cgroup("/a/b", std::vector<std::string>{"/x", "/a/*", "/*/*"}) == "/a/*");
}

TEST_CASE("runs of different boots are compared by their totals") {
  const auto before = snapshot(10, {running(1, "db", 100), running(2, "db", 100)}, "first");
  const auto after = snapshot(20, {running(9, "db", 300)}, "second");
  const auto comparison = compare(before, after, {});
  CHECK(!comparison.seconds);
  CHECK(says(comparison, "different boots"));
  const auto& row = row_of(comparison, "db", "run_time_ns");
  CHECK(row.before == Aggregate(Total{200}));
  CHECK(row.change == 100.0);
  CHECK(row.relative == 0.5);
  CHECK(!row.rate_per_second);
  CHECK(comparison.groups[0].threads_before == 2u);
  CHECK(comparison.groups[0].threads_after == 1u);
}

TEST_CASE("counters of one boot grow thread by thread") {
  // One thread ended with 1000 ns, one went on, one began at 11 s.
  const auto before = snapshot(10, {running(1, "db", 1000), running(2, "db", 100)});
  auto young = running(3, "db", 30);
  young.start_time_clock_ticks = 1100;
  const auto after = snapshot(12, {running(2, "db", 150), young});
  const auto comparison = compare(before, after, {});
  CHECK(comparison.seconds == doctest::Approx(2.0));
  const auto& row = row_of(comparison, "db", "run_time_ns");
  CHECK(row.change == 80.0);
  CHECK(row.rate_per_second == doctest::Approx(40.0));
  CHECK(row.relative == doctest::Approx(0.8));  // of the 100 ns of the thread that went on
  CHECK(!row.reset);
}

TEST_CASE("a counter that fell is said to be reset, and not subtracted") {
  const auto before = snapshot(10, {running(1, "db", 1000)});
  const auto after = snapshot(12, {running(1, "db", 10)});
  const auto comparison = compare(before, after, {});
  const auto& row = row_of(comparison, "db", "run_time_ns");
  CHECK(row.reset);
  CHECK(is_changed(row));
  CHECK(!row.change);
  CHECK(!row.relative);
  CHECK(!row.rate_per_second);
}

TEST_CASE("captures the wrong way round have no rates") {
  const auto comparison =
      compare(snapshot(12, {running(1, "db", 5)}), snapshot(10, {running(1, "db", 9)}), {});
  CHECK(!comparison.seconds);
  CHECK(says(comparison, "not later"));
  CHECK(row_of(comparison, "db", "run_time_ns").change == 4.0);
}

TEST_CASE("what one capture does not say has no change, and what both do not has no row") {
  auto before = thread(1, "db"), after = thread(1, "db");
  before.wait_sum = MonotonicNs{5};
  const auto comparison = compare(snapshot(1, {before}), snapshot(2, {after}), {});
  const auto& row = row_of(comparison, "db", "wait_sum");
  CHECK(row.after == Aggregate());
  CHECK(!row.change);
  CHECK(std::ranges::none_of(comparison.rows, [](const Row& r) { return r.metric == "wait_max"; }));
}

TEST_CASE("a group under another name is matched, with a score") {
  const auto comparison =
      compare(snapshot(1, {running(1, "postgres-old", 10)}, "a"),
              snapshot(1, {running(1, "postgres-new", 30), running(2, "xyz", 1)}, "b"), {});
  REQUIRE(comparison.renames.size() == 1);
  CHECK(comparison.renames[0].before == "postgres-old");
  CHECK(comparison.renames[0].after == "postgres-new");
  CHECK(comparison.renames[0].score == doctest::Approx(0.75));
  CHECK(row_of(comparison, "postgres-new", "run_time_ns").change == 20.0);
}

TEST_CASE("captures that do not say which boot they are of are compared by their totals, and that is said") {
  auto before = snapshot(10, {running(1, "db", 100)}), after = snapshot(20, {running(1, "db", 300)});
  after.host.boot_id.reset();
  for (const auto& [first, second] : {std::pair(&before, &after), std::pair(&after, &before)}) {
    CHECK(relation_of(*first, *second) == Relation::kUnknown);
    const auto comparison = compare(*first, *second, {});
    CHECK(!comparison.seconds);
    CHECK(says(comparison, "does not say which boot"));
    const auto& row = row_of(comparison, "db", "run_time_ns");
    CHECK(std::abs(*row.change) == 200.0);
    CHECK(!row.rate_per_second);
    CHECK(!row.reset);
  }
  before.host.boot_id.reset();
  CHECK(relation_of(before, after) == Relation::kUnknown);
}

TEST_CASE("what captured is left out unless it is asked for, and that is said") {
  auto own = running(7, "ktstr", 500);
  auto second_own = running(9, "ktstr", 900);
  auto before = snapshot(1, {running(1, "db", 1), own}),
       after = snapshot(2, {running(1, "db", 2), second_own});
  before.capturer_tgid = 7;
  after.capturer_tgid = 9;
  const auto comparison = compare(before, after, {});
  CHECK(says(comparison, "left out: what captured (process 7, 9)"));
  CHECK(std::ranges::none_of(comparison.rows, [](const Row& row) { return row.group == "ktstr"; }));
  CHECK(std::ranges::none_of(comparison.groups, [](const GroupSize& size) { return size.group == "ktstr"; }));
  CompareOptions all;
  all.capturers = true;
  const auto whole = compare(before, after, all);
  CHECK(row_of(whole, "ktstr", "run_time_ns").before == Aggregate(Total{500}));
  CHECK(!says(whole, "left out"));
}

TEST_CASE("settings that keep metrics away are told with a comparison") {
  auto before = snapshot(1, {}), after = snapshot(2, {});
  after.host.tunables["kernel/sched_schedstats"] = "0";
  after.host.tunables["kernel/task_delayacct"] = "1";
  const auto comparison = compare(before, after, {});
  CHECK(says(comparison, "sysctl kernel.sched_schedstats=1"));
  CHECK(!says(comparison, "task_delayacct"));
}

TEST_CASE("similarity is what two names have in common") {
  CHECK(similarity("abc", "abc") == 1.0);
  CHECK(similarity("abc", "xyz") == 0.0);
  CHECK(similarity("", "") == 1.0);
  CHECK(find_renames({"aaaa", "aaab"}, {"aaab1"}) == std::vector<Rename>{{"aaab", "aaab1", 8.0 / 9.0}});
}

TEST_CASE("the greatest relative change comes first, what is new before it, what is no number after it") {
  auto before = running(1, "db", 100), after = running(1, "db", 150);
  before.timeslices = MonotonicCount{0}, after.timeslices = MonotonicCount{4};
  before.minflt = MonotonicCount{10}, after.minflt = MonotonicCount{1};
  before.state = StateLetter{'R'}, after.state = StateLetter{'S'};
  before.majflt = after.majflt = MonotonicCount{1};
  auto comparison = compare(snapshot(1, {before}, "a"), snapshot(1, {after}, "b"), {{}, {Section::kPrimary}});
  sort_by_relative_change(comparison.rows);
  std::vector<std::string> order;
  for (const auto& row : comparison.rows) order.push_back(row.metric);
  CHECK(order == std::vector<std::string>{"timeslices", "minflt", "run_time_ns", "state", "majflt"});
  CHECK(std::isinf(*comparison.rows[0].relative));
  CHECK(!is_changed(comparison.rows[4]));
}

TEST_CASE("sections and globs choose rows") {
  auto before = running(1, "db", 1), after = running(1, "db", 2);
  after.smaps_rollup_kib = {{"Rss", 4}};
  auto first = snapshot(1, {before}), second = snapshot(2, {after, running(2, "web", 2)});
  first.cgroup_stats["/a"].cpu.usage_usec = 5;
  second.cgroup_stats["/a"].cpu.usage_usec = 9;
  second.pressure.cpu = PsiResource{PsiHalf{1, 2, 3, 4}, {}};
  second.sched_ext = SchedExtState{"enabled", {}, {}, {}, 3};
  const auto smaps = compare(first, second, {{}, {Section::kSmaps}});
  REQUIRE(smaps.rows.size() == 1);
  CHECK(smaps.rows[0].after == Aggregate(Derived{4096}));
  const auto cgroup = compare(first, second, {{}, {Section::kCgroup}});
  CHECK(row_of(cgroup, "/a", "cpu.usage_usec").rate_per_second == doctest::Approx(4.0));
  auto all = compare(first, second, {});
  CHECK(row_of(all, "system", "cpu.some.avg60").after == Aggregate(Most{2}));
  CHECK(row_of(all, "system", "state").after == Aggregate(Mode{"enabled", 1, 1}));
  CHECK(says(all, "sched_ext scheduler was loaded"));
  keep_matching(all, "w*", "run_*");
  REQUIRE(all.rows.size() == 1);
  CHECK(all.rows[0].group == "web");
}

TEST_CASE("cgroups that go by one name add up") {
  auto before = snapshot(1, {}, "a"), after = snapshot(1, {}, "b");
  for (const auto* path : {"/pods/x", "/pods/y"}) {
    after.cgroup_stats[path].cpu.usage_usec = 5;
    after.cgroup_stats[path].memory.current = 7;
  }
  CompareOptions options;
  options.group.cgroup_flatten = {"/pods/*"};
  const auto comparison = compare(before, after, options);
  CHECK(row_of(comparison, "/pods/*", "cpu.usage_usec").after == Aggregate(Total{10}));
  CHECK(row_of(comparison, "/pods/*", "memory.current").after == Aggregate(Most{7}));
}

}  // namespace ktstr::introspect::ctprof
