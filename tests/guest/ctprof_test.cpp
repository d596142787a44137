// Captures of all threads in a guest, taken by ops.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "engine/report/text.h"
#include "introspect/ctprof/compare/compare.h"
#include "introspect/ctprof/file.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace ktstr::introspect::ctprof;

namespace {

/// Two spinners and four threads that mostly sleep, for a second between two captures.
Scenario captured_twice() {
  using namespace std::chrono_literals;
  auto scenario = small_scenario("captured");
  auto sleepers = spinners(4);
  sleepers.work = Bursty{.burst = 1ms, .sleep = 9ms};
  sleepers.comm = "sleeper";
  scenario.cgroups["batch"] = cgroup_of({}, {sleepers});
  scenario.expect.max_spread_pct = 100;
  scenario.duration = 2s;
  scenario.steps = {{.ops = {CtprofOp{"before"}}, .setup = {}, .hold = FixedHold{1s}},
                    {.ops = {CtprofOp{"after"}}, .setup = {}, .hold = FixedHold{100ms}}};
  return scenario;
}

Snapshot read_capture(const CtprofReport& report) {
  REQUIRE_MESSAGE(report.file.has_value(), report.problem.value_or(""));
  auto snapshot = read_snapshot(*report.file);
  REQUIRE_MESSAGE(snapshot.has_value(), snapshot.error().message);
  CHECK(snapshot->threads.size() == report.threads);
  return std::move(*snapshot);
}

/// The threads of that name.
std::vector<ThreadRecord> named(const Snapshot& snapshot, const std::string& comm) {
  std::vector<ThreadRecord> threads;
  for (const auto& thread : snapshot.threads)
    if (thread.comm == comm) threads.push_back(thread);
  return threads;
}

std::set<std::uint32_t> tids_of(const std::vector<ThreadRecord>& threads) {
  std::set<std::uint32_t> tids;
  for (const auto& thread : threads) tids.insert(thread.tid);
  return tids;
}

std::set<std::uint32_t> reported_tids(const RunReport& report, std::string_view cgroup) {
  std::set<std::uint32_t> tids;
  for (const auto& group : report.workers)
    for (const auto& worker : group.reports)
      if (worker.cgroup == cgroup) tids.insert(static_cast<std::uint32_t>(worker.tid));
  return tids;
}

const Row& row(const Comparison& comparison, std::string_view group, std::string_view metric) {
  const auto found = std::ranges::find_if(
      comparison.rows, [&](const Row& each) { return each.group == group && each.metric == metric; });
  REQUIRE_MESSAGE(found != comparison.rows.end(), group << " " << metric);
  return *found;
}

}  // namespace

TEST_CASE("runs of which one was forked from the other's guest are of different boots") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const test::TemporaryDirectory directory;
  auto scenario = small_scenario("alike");
  scenario.steps[0].ops = {CtprofOp{"only"}};
  const auto key = planned_boot(scenario, {});
  REQUIRE(key.has_value());
  BootedGuests guests({**key, **key});
  const auto capture = [&](const std::string& folder) {
    const auto report =
        run_scenario(scenario, {.dump_dir = directory.path() / folder, .booted_guests = &guests});
    REQUIRE_MESSAGE(report.has_value(), report.error().message);
    CHECK(report->machine.origin == (folder == "first" ? MachineOrigin::kBooted : MachineOrigin::kForked));
    REQUIRE(report->ctprof_captures.size() == 1);
    return read_capture(report->ctprof_captures[0]);
  };
  const auto first = capture("first"), second = capture("second");
  CHECK(relation_of(first, second) == Relation::kDifferentBoots);
}

TEST_CASE("two captures of a run hold its workers, everything counted, and what they did in between") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  const test::TemporaryDirectory directory;
  RunOptions options;
  options.dump_dir = directory.path();
  const auto report = run_scenario(captured_twice(), options);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  MESSAGE(to_text(*report));
  REQUIRE(report->ctprof_captures.size() == 2);
  const auto before = read_capture(report->ctprof_captures[0]),
             after = read_capture(report->ctprof_captures[1]);

  CHECK(report->ctprof_captures[0].file == (directory.path() / "captured.before.ctprof.zst").string());
  CHECK(before.host.kernel_release == report->kernel.release);
  CHECK(before.host.tunables.at("kernel/sched_schedstats") == "1");
  CHECK(before.host.tunables.at("kernel/task_delayacct") == "1");
  CHECK(tids_of(named(before, "init")) == std::set<std::uint32_t>{1});
  CHECK(tids_of(named(before, "kthreadd")) == std::set<std::uint32_t>{2});
  CHECK(tids_of(named(before, "sleeper")) == reported_tids(*report, "batch"));
  CHECK(tids_of(named(before, "cpu_spin")) == reported_tids(*report, "web"));
  for (const auto& thread : named(before, "sleeper")) {
    CHECK(thread.cgroup == "/batch");
    CHECK(thread.pcomm == "sleeper");
    CHECK(thread.nr_wakeups.has_value());
    CHECK(thread.blkio_delay_count.has_value());
  }
  CHECK(before.cgroup_stats.contains("/batch"));

  const auto comparison = compare(before, after, {});
  CHECK(relation_of(before, after) == Relation::kSameBoot);
  MESSAGE("sleepers woke up ", *row(comparison, "sleeper", "nr_wakeups").change, " times");
  CHECK(*row(comparison, "sleeper", "nr_wakeups").change >= 10);
  CHECK(*row(comparison, "cpu_spin", "run_time_ns").change >= 100'000'000);
}
