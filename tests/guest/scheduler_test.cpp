// Schedulers on a real kernel: attached, replaced, restarted, detached, dying and failing to load.
#include <doctest/doctest.h>

#include <filesystem>

#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"

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

SchedulerDef scx_ktstr(const std::string& name, std::vector<std::string> args = {}) {
  SchedulerDef def;
  def.name = name;
  def.path = std::filesystem::canonical(SCX_KTSTR);
  def.args = {"--name", name};
  def.args.insert(def.args.end(), args.begin(), args.end());
  return def;
}

/// Two spinners on two CPUs, and room for an emulated scheduler to load.
Scenario with_scheduler(std::string name, SchedulerDef scheduler) {
  auto scenario = small_scenario(std::move(name));
  scenario.duration = 10s;
  scenario.scheduler = std::move(scheduler);
  scenario.expect.max_gap = Duration(30s);
  scenario.expect.max_spread_pct = 100;
  return scenario;
}

Step step(std::vector<Op> ops, Duration hold) {
  return {.ops = std::move(ops), .setup = {}, .hold = FixedHold{hold}};
}

RunReport run(const Scenario& scenario) {
  auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  MESSAGE(to_text(*report));
  return std::move(*report);
}

}  // namespace

TEST_CASE("a scheduler is attached, replaced, restarted and detached under load") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("changes", scx_ktstr("one"));
  scenario.steps = {step({}, 1s), step({ReplaceSchedulerOp{scx_ktstr("two")}}, 1s),
                    step({RestartSchedulerOp{}}, 1s), step({DetachSchedulerOp{}}, 1s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.schedulers.size() == 3);
  CHECK(report.schedulers[0].ops == "one");
  CHECK(report.schedulers[0].fate == SchedulerFate::kReplaced);
  CHECK(report.schedulers[1].ops == "two");
  CHECK(report.schedulers[1].fate == SchedulerFate::kRestarted);
  CHECK(report.schedulers[2].ops == "two");
  CHECK(report.schedulers[2].fate == SchedulerFate::kDetached);
  for (const auto& scheduler : report.schedulers) {
    CHECK(scheduler.attached_ns);
    REQUIRE(scheduler.exit);
    CHECK(scheduler.exit->how == "exited");
    CHECK(scheduler.exit->code == 0);
  }
  // The watchdog's time is what a task may wait for at most.
  REQUIRE(report.schedulers[1].gap_ns);

  REQUIRE(report.workers.size() == 1);
  for (const auto& worker : report.workers[0].reports) CHECK(worker.longest_gap_ns < 30'000'000'000);
}

TEST_CASE("a replacement that does not load fails the run, and says what became of the former one") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("refused", scx_ktstr("one"));
  scenario.steps = {step({}, 1s),
                    step({ReplaceSchedulerOp{scx_ktstr("two", {"--refuse-init-task", "7"})}}, 1s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.schedulers.size() == 2);
  CHECK(report.schedulers[0].fate == SchedulerFate::kReplaced);
  CHECK(report.schedulers[1].fate == SchedulerFate::kRefused);
  REQUIRE_FALSE(report.failures.empty());
  CHECK(report.failures[0].check == "scheduler");
  CHECK(report.failures[0].message.starts_with("step 2: the scheduler two was not attached: "));
  CHECK(report.failures[0].message.ends_with(
      "; one had been detached for it, and tasks run under the kernel's own scheduler"));
}

TEST_CASE("a scheduler's death is noticed within its step and told first, with the kernel's record") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("death", scx_ktstr("one", {"--error", "--error-message", "falling"}));
  scenario.steps = {step({}, 3s), step({}, 3s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.schedulers.size() == 1);
  const auto& scheduler = report.schedulers[0];
  REQUIRE(scheduler.exit_record);
  CHECK(scheduler.exit_record->message.value_or("").find("falling") != std::string::npos);
  CHECK(to_text(report).starts_with("FAIL death: "));
  CHECK(to_text(report).substr(0, to_text(report).find('\n')).find("falling") != std::string::npos);
  CHECK(report.timeline.steps.size() <= 1);
}
