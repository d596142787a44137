// Dumps of a real guest: on request, and by itself when its scheduler fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

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

Scenario with_scheduler(std::string name, std::vector<std::string> args) {
  auto scenario = small_scenario(std::move(name));
  scenario.duration = 10s;
  scenario.scheduler.emplace();
  scenario.scheduler->name = "scx_ktstr";
  scenario.scheduler->path = std::filesystem::canonical(SCX_KTSTR);
  scenario.scheduler->args = std::move(args);
  scenario.expect.max_gap = Duration(30s);
  scenario.expect.max_spread_pct = 100;
  return scenario;
}

struct Ran {
  RunReport report;
  std::vector<introspect::FailureDump> dumps;  ///< as the hook got them
};

Ran run(const Scenario& scenario, const std::filesystem::path& directory) {
  Ran ran;
  RunOptions options;
  options.dump_dir = directory;
  options.on_snapshot = [&](const introspect::FailureDump& dump) -> Result<std::vector<std::string>> {
    ran.dumps.push_back(dump);
    return std::vector<std::string>{};
  };
  auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  ran.report = std::move(*report);
  MESSAGE(to_text(ran.report));
  REQUIRE(ran.dumps.size() == ran.report.dumps.size());
  return ran;
}

bool has_variables(const introspect::FailureDumpMap& map) {
  return map.name.ends_with(".bss") && map.value && map.value->member("enqueued");
}

}  // namespace

TEST_CASE("a dump that a step asks for has the scheduler, its variables and the workers") {
  NEEDS_SCHEDULER();
  const test::TemporaryDirectory directory;
  auto scenario = with_scheduler("snapshot", {"--name", "dumped"});
  scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}},
                    {.ops = {CaptureSnapshotOp{"middle"}}, .setup = {}, .hold = FixedHold{1s}}};
  const auto ran = run(scenario, directory.path());
  CHECK(ran.report.verdict == Outcome::kPass);
  REQUIRE(ran.dumps.size() == 1);
  const auto& dump = std::get<introspect::FailureDumpReport>(ran.dumps[0]);
  CHECK(dump.origin.name == "middle");
  CHECK(dump.origin.frozen_ns >= dump.origin.stop_ns + *dump.origin.dump_ns);
  REQUIRE(dump.scx_sched_state);
  CHECK(dump.scx_sched_state->ops_name == "dumped");
  CHECK(std::any_of(dump.maps.begin(), dump.maps.end(), has_variables));
  CHECK(dump.rq_scx_states.size() == scenario.topology.cpus());
  CHECK(dump.task_enrichments.size() > 10);
  CHECK_FALSE(dump.dump_truncated_at_us);
  const auto read = introspect::read_dump(*ran.report.dumps[0].file);
  REQUIRE_MESSAGE(read, read.error().message);
  CHECK(to_json(std::get<introspect::FailureDumpReport>(*read)) == to_json(dump));
}

TEST_CASE("a stall is dumped by itself, with what the kernel says of it") {
  NEEDS_SCHEDULER();
  const test::TemporaryDirectory directory;
  auto scenario = with_scheduler("stalled", {"--stall-comm", "cpu_spin", "--timeout-ms", "2000"});
  scenario.expect.scheduler_error.emplace();
  const auto ran = run(scenario, directory.path());
  REQUIRE(ran.dumps.size() == 1);
  CHECK(ran.report.dumps[0].cause == "scheduler_error");
  const auto& dump = std::get<introspect::FailureDumpReport>(ran.dumps[0]);
  REQUIRE(dump.exit_record);
  CHECK(dump.exit_record->kind == 1026);  // SCX_EXIT_ERROR_STALL, kernel/sched/ext_internal.h
  CHECK(dump.exit_record->msg->find("failed to run for") != std::string::npos);
}
