#include "engine/ctprof/texts.h"

#include <doctest/doctest.h>

#include "tests/introspect/ctprof/threads.h"

namespace ktstr::engine {
namespace {

using namespace introspect::ctprof;
using introspect::ctprof::test::snapshot;
using introspect::ctprof::test::thread;

Snapshot running(double seconds, std::uint64_t db_ns, std::uint64_t web_ns) {
  auto db = thread(1, "db"), web = thread(2, "web");
  db.run_time_ns = MonotonicNs{db_ns};
  web.run_time_ns = MonotonicNs{web_ns};
  db.timeslices = MonotonicCount{3};
  return snapshot(seconds, {db, web});
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("show has a line for each group, sorted, with - for what is absent") {
  ShowOptions options;
  options.metrics = {"run_time_ns", "timeslices", "avg_slice_ns"};
  CHECK(show_text(running(1, 6000, 9000), options, {}).value() ==
        "GROUP  THREADS  run_time_ns  timeslices  avg_slice_ns\n"
        "web          1        9.0us           -             -\n"
        "db           1        6.0us           3         2.0us\n");
  options.limit = 1;
  options.by = "timeslices";
  CHECK(!contains(show_text(running(1, 6000, 9000), options, {}).value(), "web"));
}

TEST_CASE("a metric that is not known is an error that names the nearest") {
  ShowOptions options;
  options.metrics = {"run_times_ns"};
  const auto text = show_text(running(1, 1, 1), options, {});
  REQUIRE(!text);
  CHECK(contains(text.error().message, "run_time_ns"));
}

TEST_CASE("rates are of counters and need time between the captures") {
  ShowOptions options;
  options.metrics = {"run_time_ns"};
  const auto text = rates_text(running(1, 0, 0), running(3, 1'000'000, 3'000'000), options, {});
  REQUIRE(text);
  CHECK(*text ==
        "2.000 s, 2 threads\n"
        "PER SECOND  run_time_ns\n"
        "web               1.5ms\n"
        "db                500us\n\n");
  CHECK(rates_text(running(1, 0, 0), running(1, 0, 0), options, {}).error().code == ErrorCode::kUnavailable);
  options.metrics = {"wait_max"};
  CHECK(rates_text(running(1, 0, 0), running(2, 0, 0), options, {}).error().code ==
        ErrorCode::kInvalidArgument);
}

TEST_CASE("a comparison says what to know and how much changed") {
  auto after = running(3, 3'000'000, 1000);
  after.threads.push_back(thread(3, "new\n"));
  auto comparison = compare(running(1, 1'000'000, 1000), after, {{}, {Section::kPrimary}});
  std::erase_if(comparison.rows, [](const Row& row) { return !is_changed(row); });
  const auto text = compare_text(comparison, 0, {});
  CHECK(contains(text, "2.000 s between the captures\n"));
  CHECK(contains(text, "only after:  new\\n (1 threads)\n"));
  CHECK(contains(text, "db     run_time_ns   1.0ms  3.0ms  +2.0ms   +200.0%  1.0ms/s\n"));
  CHECK(compare_csv(comparison) ==
        "section,group,metric,unit,before,after,change,relative,rate_per_second,reset\r\n"
        "primary,db,run_time_ns,ns,1000000,3000000,2000000,2,1000000,false\r\n");
}

TEST_CASE("rows beyond the limit are counted, and none at all is said") {
  auto comparison = compare(running(1, 1, 1), running(3, 2, 2), {{}, {Section::kPrimary}});
  CHECK(contains(compare_text(comparison, 1, {}), " more rows\n"));
  comparison.rows.clear();
  CHECK(contains(compare_text(comparison, 1, {}), "nothing differs\n"));
}

TEST_CASE("the summary tells what is missing and why") {
  auto made = running(1, 1, 1);
  made.parse_summary = ParseSummary{2, 2, {{"io", 2}}, {{"EACCES", 2}}, "io", false, true, 1};
  const auto text = summary_text(made);
  CHECK(contains(text, "2 threads in 0 cgroups\n"));
  CHECK(contains(text, "2 files could not be read: io 2 (EACCES 2)\n"));
  CHECK(contains(text, "1 times were negative"));
  CHECK(contains(text, "cap_sys_ptrace"));
}

TEST_CASE("the list names every metric, where it is from and what it needs") {
  const auto text = metric_list_text({});
  CHECK(contains(text, "wait_sum"));
  CHECK(contains(text, "sched: sum_block_runtime"));
  CHECK(contains(text, "stat: 14"));
  CHECK(contains(text, "CONFIG_SCHEDSTATS"));
  CHECK(contains(text, "total_offcpu_delay_ns"));
}

}  // namespace ktstr::engine
