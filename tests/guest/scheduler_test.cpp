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
  scenario.expect.max_scheduler_gap = Duration(300s);  // of an emulated guest on a busy host
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

/// Every takeover has its gap, and every worker its report.
void check_taken_over(const RunReport& report, std::size_t takeovers, std::size_t workers) {
  CHECK(report.verdict == Outcome::kPass);
  CHECK(report.schedulers.size() == takeovers + 1);
  REQUIRE(report.scheduler_gaps.size() == takeovers);
  for (const auto& gap : report.scheduler_gaps) CHECK(gap.duration_ns > 0);
  CHECK(to_text(report).find("without a scheduler for ") != std::string::npos);
  REQUIRE(report.workers.size() == 1);
  CHECK(report.workers[0].reports.size() == workers);
  for (const auto& worker : report.workers[0].reports) CHECK(worker.wall_ns > 0);
}

}  // namespace

TEST_CASE("a scheduler is attached, replaced, restarted and detached under load") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("changes", scx_ktstr("one"));
  scenario.steps = {step({}, 1s), step({ReplaceSchedulerOp{scx_ktstr("two"), {}}}, 1s),
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
                    step({ReplaceSchedulerOp{scx_ktstr("two", {"--refuse-init-task", "7"}), {}}}, 1s)};
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

TEST_CASE("a preloaded successor takes over under load, and a restart likewise") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("preloaded", scx_ktstr("one"));
  scenario.cgroups["web"].works[0].workers = 8;
  auto two = scx_ktstr("two");
  two.handover = Handover::kPreloaded;
  scenario.steps = {step({}, 1s), step({ReplaceSchedulerOp{two, {}}}, 1s), step({RestartSchedulerOp{}}, 1s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.schedulers.size() == 3);
  CHECK(report.schedulers[1].fate == SchedulerFate::kRestarted);
  CHECK(report.schedulers[2].fate == SchedulerFate::kAttached);
  REQUIRE(report.scheduler_gaps.size() == 2);
  for (const auto& scheduler : report.schedulers) {
    REQUIRE(scheduler.load_cpu_ns);
    CHECK(*scheduler.load_cpu_ns > 0);
    CHECK(*scheduler.load_cpu_ns < *scheduler.load_ns);
  }
  // Most of its loading was over when the former one went.
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(report.scheduler_gaps[i].duration_ns < *report.schedulers[i + 1].load_ns);
}

TEST_CASE("a preloaded successor that can't load leaves the former one in charge") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("vain", scx_ktstr("one"));
  scenario.steps = {
      step({ReplaceSchedulerOp{scx_ktstr("two", {"--no-such-argument"}), Handover::kPreloaded}}, 1s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.schedulers.size() == 2);
  CHECK(report.schedulers[0].fate == SchedulerFate::kAttached);
  CHECK(report.scheduler_gaps.empty());
  CHECK(report.failures[0].message.ends_with("; one continues"));
}

TEST_CASE("a scheduler's death ends the hold that it happens in, and is dated when it happened") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("mid_hold", scx_ktstr("one"));
  scenario.duration = 3600s;  // far beyond the test's own limit
  scenario.steps = {step({WriteBpfMapOp{"ktstr.bss", "error_now", Value(true)}}, 3000s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kFail);
  REQUIRE(report.schedulers.size() == 1);
  CHECK(report.schedulers[0].fate == SchedulerFate::kDied);
  REQUIRE(report.timeline.steps.size() == 1);
  CHECK_FALSE(report.timeline.steps[0].end_ns);
  REQUIRE_FALSE(report.timeline.events.empty());
  CHECK(*report.schedulers[0].ended_ns >= *report.schedulers[0].attached_ns);
  CHECK(*report.schedulers[0].ended_ns < report.timings.total_ns);
  CHECK(to_text(report).find("  without a scheduler for ") != std::string::npos);
}

TEST_CASE("the kernel's watchdog is set in guest memory, and a shorter time makes no false alarm") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("watchdog", scx_ktstr("one", {"--timeout-ms", "30000"}));
  scenario.scheduler->watchdog_timeout = Duration(2s);
  scenario.steps = {step({}, 5s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kPass);
  REQUIRE(report.schedulers.size() == 1);
  REQUIRE(report.schedulers[0].watchdog);
  CHECK(report.schedulers[0].watchdog->own_ns == 30'000'000'000);
  CHECK(report.schedulers[0].watchdog->asked_ns == 2'000'000'000);
  CHECK(report.schedulers[0].watchdog->read_back_ns == 2'000'000'000);
}

TEST_CASE("an attached scheduler's program is an ordinary one, in the root cgroup") {
  NEEDS_SCHEDULER();
  const auto kernel = default_kernel();
  auto guest = boot(*kernel, {1, 1, 2, 1}, {{.path = "scx_ktstr", .content = SCX_KTSTR, .mode = 0755}});
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  protocol::AttachScheduler request;
  request.name = "one";
  request.program = "/scx_ktstr";
  const auto changed = guest->agent->ask(request);
  REQUIRE_MESSAGE(changed.has_value(), changed.error().message);
  REQUIRE_FALSE(changed->problem);
  const auto file = [&](const std::string& name) {
    const auto path = "/proc/" + std::to_string(*changed->current->pid) + "/" + name;
    return guest->agent->ask(protocol::ReadFile{path}).value().content;
  };
  CHECK(file("cgroup") == "0::/\n");
  CHECK(file("sched").find("policy                                       :                    0") !=
        std::string::npos);
}

TEST_CASE("a scheduler takes over from another beside real-time hogs on every CPU") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("hogs", scx_ktstr("one"));
  auto& hogs = scenario.cgroups["web"].works[0];
  hogs.policy = FifoPolicy{97};
  scenario.steps = {step({}, 1s), step({ReplaceSchedulerOp{scx_ktstr("two"), {}}}, 1s),
                    step({ReplaceSchedulerOp{scx_ktstr("three"), Handover::kPreloaded}}, 1s)};
  check_taken_over(run(scenario), 2, 2);
}

TEST_CASE("a scheduler takes over from another beside 64 workers on each CPU") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("crowd", scx_ktstr("one", {"--timeout-ms", "30000"}));
  scenario.cgroups["web"].works[0].workers = 128;
  scenario.expect.no_starvation = false;
  scenario.steps = {step({}, 1s),
                    step({ReplaceSchedulerOp{scx_ktstr("two", {"--timeout-ms", "30000"}), {}}}, 1s)};
  check_taken_over(run(scenario), 1, 128);
}

TEST_CASE("a gap above the limit fails the run, in its first line") {
  NEEDS_SCHEDULER();
  auto scenario = with_scheduler("too_long", scx_ktstr("one"));
  scenario.expect.max_scheduler_gap = Duration(1ms);
  scenario.steps = {step({ReplaceSchedulerOp{scx_ktstr("two"), {}}}, 1s)};
  const auto report = run(scenario);
  CHECK(report.verdict == Outcome::kFail);
  const auto text = to_text(report);
  CHECK(text.starts_with("FAIL too_long: step 1: without a scheduler for "));
  CHECK(text.substr(0, text.find('\n')).ends_with(" s while one was replaced (at most 1ms)"));
}

TEST_CASE("a guest's timers are finer than a tick, and what hastens a takeover is taken back") {
  NEEDS_SCHEDULER();
  const auto kernel = default_kernel();
  auto guest = boot(*kernel, {1, 1, 2, 1}, {{.path = "scx_ktstr", .content = SCX_KTSTR, .mode = 0755}});
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  const auto file = [&](const std::string& path) {
    return guest->agent->ask(protocol::ReadFile{path}).value().content;
  };
  CHECK(file("/proc/timer_list").find(".hres_active    : 1") != std::string::npos);
  CHECK(file("/proc/timer_list").find(".hres_active    : 0") == std::string::npos);
  const auto expedited = file("/sys/kernel/rcu_expedited");
  protocol::AttachScheduler request;
  request.name = "one";
  request.program = "/scx_ktstr";
  REQUIRE_FALSE(guest->agent->ask(request).value().problem);
  REQUIRE_FALSE(guest->agent->ask(protocol::ReplaceScheduler{request}).value().problem);
  CHECK(file("/sys/kernel/rcu_expedited") == expedited);
  // The second number is the priority: 98 is a loader's.
  CHECK(file("/proc/2/stat").find(" -99 0 ") == std::string::npos);
}

TEST_CASE("a successor loads faster beside busy CPUs of an emulated guest than a first scheduler") {
  NEEDS_SCHEDULER();
  const auto kernel = default_kernel();
  auto guest = boot(*kernel, {1, 1, 4, 1}, {{.path = "scx_ktstr", .content = SCX_KTSTR, .mode = 0755}});
  REQUIRE_MESSAGE(guest.has_value(), guest.error().message);
  auto& agent = *guest->agent;
  protocol::AddCgroup cgroup;
  cgroup.cgroup = "web";
  REQUIRE(agent.ask(cgroup));
  protocol::SpawnWorkers workers;
  workers.cgroup = "web";
  workers.work = CpuSpin{};
  workers.affinities.resize(16);
  REQUIRE(agent.ask(workers));
  protocol::AttachScheduler request;
  request.name = "one";
  request.program = "/scx_ktstr";
  const auto load_s = [](const protocol::SchedulerChanged& changed) {
    REQUIRE_FALSE(changed.problem);
    return static_cast<double>(*changed.current->load_ns) * 1e-9;
  };
  // Nothing is hurried for the first one: no time without a scheduler runs.
  const auto first = load_s(agent.ask(request).value());
  const auto second = load_s(agent.ask(protocol::ReplaceScheduler{request}).value());
  MESSAGE("loaded in " << first << " s and " << second << " s");
  CHECK(1.5 * second < first);
}
