// Ops on BPF maps of a real scheduler: written and read from outside, kept across a swap.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "bpf/fixture_contents.h"
#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

#define NEEDS_SCHEDULER()                                                             \
  do {                                                                                \
    if (!default_kernel()) SKIP_TEST("no kernel is cached");                          \
    if (!std::filesystem::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet"); \
  } while (false)

namespace {

/// Two spinners under scx_ktstr, and these ops in steps of one second.
Scenario with_ops(std::string name, std::vector<std::vector<Op>> steps) {
  auto scenario = small_scenario(std::move(name));
  scenario.duration = 10s;
  scenario.scheduler.emplace();
  scenario.scheduler->name = "scx_ktstr";
  scenario.scheduler->path = std::filesystem::canonical(SCX_KTSTR);
  scenario.expect.max_gap = Duration(30s);
  scenario.expect.max_spread_pct = 100;
  scenario.steps.clear();
  for (auto& ops : steps)
    scenario.steps.push_back({.ops = std::move(ops), .setup = {}, .hold = FixedHold{1s}});
  return scenario;
}

RunReport run(const Scenario& scenario) {
  const test::TemporaryDirectory directory;
  RunOptions options;
  options.dump_dir = directory.path();
  auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  MESSAGE(to_text(*report));
  return std::move(*report);
}

/// The reading of that name. Precondition: there is one.
const MapReading& reading(const RunReport& report, std::string_view name) {
  const auto& all = report.map_readings;
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.name == name; });
  REQUIRE_MESSAGE(found != all.end(), name);
  return *found;
}
std::uint64_t number(const RunReport& report, std::string_view name) {
  return reading(report, name).value.as_u64().value();
}

ReadBpfMapOp read_op(std::string map, std::string variable, std::string name) {
  return {std::move(map), std::move(variable), std::move(name)};
}

}  // namespace

TEST_CASE("a scheduler ends with the error and the message that were written into its variables") {
  NEEDS_SCHEDULER();
  auto scenario =
      with_ops("written", {{},
                           {WriteBpfMapOp{"ktstr.data", "error_message", Value{"written from outside"}},
                            WriteBpfMapOp{"ktstr.bss", "error_now", Value{std::int64_t{1}}}}});
  scenario.expect.scheduler_error = {.contains = "written from outside", .matches = {}};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.schedulers.size() == 1);
  CHECK(report.schedulers[0].fate == SchedulerFate::kDied);
  CHECK(report.schedulers[0].expected);
  const auto& events = report.timeline.events;
  const auto written = std::find_if(events.begin(), events.end(),
                                    [](const auto& event) { return event.variable == "error_now"; });
  REQUIRE(written != events.end());
  CHECK(written->op == "write_bpf_map");
  CHECK(written->step == 2);
  CHECK(written->map == "ktstr.bss");
}

TEST_CASE("variables are read with their types, and what was written is read back") {
  NEEDS_SCHEDULER();
  auto scenario = with_ops(
      "read",
      {{read_op("ktstr.bss", "enqueued", "first"), read_op("ktstr.data", "only_cpu", "cpu"),
        read_op("ktstr.data", "error_message", "message"), read_op(".data.tuning", "tuning.steps[2]", "step"),
        read_op("ktstr.rodata", "rodata_number", "constant")},
       {read_op("ktstr.bss", "enqueued", "second"),
        WriteBpfMapOp{"ktstr.data", "data_number", Value{~std::uint64_t{0}}},
        read_op("ktstr.data", "data_number", "largest")}});
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  CHECK(number(report, "second") > number(report, "first"));
  CHECK(reading(report, "second").elapsed_ns > reading(report, "first").elapsed_ns);
  CHECK(reading(report, "cpu").value == introspect::RenderedValue{introspect::RenderedInt{32, -1}});
  CHECK(reading(report, "message").value.text() == "told to fail");
  CHECK(number(report, "step") == 4);
  CHECK(number(report, "constant") == FIXTURE_RODATA_NUMBER);
  CHECK(number(report, "largest") == ~std::uint64_t{0});
}

TEST_CASE("a pinned map keeps what it held across a swap, beside its successor of the same name") {
  NEEDS_SCHEDULER();
  auto scenario = with_ops(
      "pinned", {{},
                 {PinBpfMapOp{"ktstr.bss", "before"}, PinBpfMapOp{"ktstr_ops", {}},
                  PinBpfMapOp{"ktstr.bss", "before"}, read_op("before", "enqueued", "running")},
                 {RestartSchedulerOp{}, read_op("before", "enqueued", "after"),
                  read_op("ktstr.bss", "enqueued", "successor")},
                 {read_op("before", "enqueued", "later"), read_op("ktstr.bss", "enqueued", "goes on")}});
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  CHECK(number(report, "running") > 0);
  CHECK(number(report, "after") >= number(report, "running"));
  CHECK(number(report, "later") == number(report, "after"));
  CHECK(number(report, "goes on") > number(report, "successor"));
  CHECK(reading(report, "after").map_id == reading(report, "running").map_id);
  CHECK(reading(report, "successor").map_id > reading(report, "running").map_id);
}

TEST_CASE("an op on a map that is not there fails the run with the step, the op and the nearest name") {
  NEEDS_SCHEDULER();
  const auto report = run(with_ops("missing", {{}, {read_op("ktstr.bss", "enqeued", "counter")}}));
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE_FALSE(report.failures.empty());
  CHECK(report.failures[0].message ==
        "step 2: read_bpf_map ktstr.bss enqeued: no variable enqeued in ktstr.bss (did you mean "
        "\"enqueued\"?)");
  CHECK(report.map_readings.empty());
}
