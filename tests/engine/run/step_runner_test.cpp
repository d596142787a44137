#include "engine/run/step_runner.h"

#include <doctest/doctest.h>

#include "tests/engine/run/fake_guest.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;
using ktstr::engine::testing::FakeGuest;
using Log = std::vector<std::string>;

namespace {

/// A scenario of 10 s on 4 CPUs, a guest that takes 10 ms for each request, and what happened to it.
struct Run {
  Scenario scenario;
  FakeGuest guest;
  Timeline timeline;
  Workload workload{guest, vmm::Topology{1, 2, 2, 1}, 1};
  StagedSchedulers staged;
  std::vector<SchedulerReport> reports;
  std::vector<SchedulerGap> gaps;
  std::optional<SchedulerErrorExpectation> expected;
  std::vector<Progress> progress;

  Run() {
    scenario.topology = {1, 2, 2, 1};
    scenario.duration = 10s;
    guest.request_time = 10ms;
  }
  Status go() {
    SchedulerDriver schedulers(guest, staged, expected, {}, {reports, gaps});
    StepRunner runner(scenario, guest, workload, schedulers, timeline);
    KTSTR_TRY(runner.set_up());
    return runner.run_steps([this](const Progress& at) { progress.push_back(at); });
  }
};

CgroupDef two_spinners() {
  CgroupDef def;
  def.works.emplace_back();
  def.works[0].workers = 2;
  return def;
}

}  // namespace

TEST_CASE("the backdrop comes first, then the cgroups, then the steps") {
  Run run;
  run.scenario.cgroups["web"] = {};
  run.scenario.backdrop.cgroups["background"] = {};
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}}};
  REQUIRE(run.go());
  CHECK(run.guest.log ==
        Log{"add_cgroup background @0", "add_cgroup web @10", "wait @1020", "read_file @1020"});
}

TEST_CASE("a scheduler attaches between the cgroups and their workers, or after both") {
  Run run;
  run.scenario.scheduler.emplace().name = "one";
  run.scenario.cgroups["web"] = two_spinners();
  run.scenario.backdrop.cgroups["background"] = {};
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}}};
  SUBCASE("between") {
    REQUIRE(run.go());
    CHECK(Log(run.guest.log.begin(), run.guest.log.begin() + 4) ==
          Log{"add_cgroup background @0", "add_cgroup web @10", "attach_scheduler @20",
              "spawn_workers web @30"});
    CHECK(run.timeline.events.back().op == "spawn");
    CHECK(run.timeline.events.back().workers == 2);
  }
  SUBCASE("after") {
    run.scenario.workers_first = true;
    REQUIRE(run.go());
    CHECK(Log(run.guest.log.begin(), run.guest.log.begin() + 4) ==
          Log{"add_cgroup background @0", "add_cgroup web @10", "spawn_workers web @20",
              "attach_scheduler @30"});
  }
}

TEST_CASE("a step's ops run before its setup, and the hold begins after both") {
  Run run;
  run.scenario.cgroups["web"] = {};
  run.scenario.steps = {{.ops = {FreezeCgroupOp{"web"}}, .setup = {{"late", {}}}, .hold = FixedHold{1s}}};
  REQUIRE(run.go());
  CHECK(run.guest.log == Log{"add_cgroup web @0", "freeze_cgroup web @10", "add_cgroup late @20",
                             "wait @1030", "read_file @1030"});
  REQUIRE(run.timeline.steps.size() == 1);
  CHECK(run.timeline.steps[0].start_ns == 10'000'000);
  CHECK(run.timeline.steps[0].hold_start_ns == 30'000'000);
  CHECK(run.timeline.steps[0].end_ns == 1'030'000'000);
}

TEST_CASE("a loop sets up once, then runs its ops at every interval") {
  Run run;
  run.scenario.steps = {
      {.ops = {FreezeCgroupOp{"web"}}, .setup = {{"web", {}}}, .hold = LoopHold{1s, Duration(2500ms)}}};
  REQUIRE(run.go());
  CHECK(run.guest.log == Log{"add_cgroup web @0", "wait @10", "freeze_cgroup web @10", "wait @1010",
                             "freeze_cgroup web @1010", "wait @2010", "freeze_cgroup web @2010", "wait @2510",
                             "read_file @2510"});
  CHECK(run.timeline.steps[0].turns == 3);
}

TEST_CASE("a loop whose ops run over an interval leaves that turn out") {
  Run run;
  run.guest.request_time = 1500ms;
  run.scenario.steps = {{.ops = {FreezeCgroupOp{"web"}}, .setup = {}, .hold = LoopHold{1s, Duration(4s)}}};
  REQUIRE(run.go());
  CHECK(run.guest.log == Log{"wait @0", "freeze_cgroup web @0", "wait @2000", "freeze_cgroup web @2000",
                             "wait @4000", "read_file @4000"});
  CHECK(run.timeline.steps[0].turns == 2);
}

TEST_CASE("fractions and the rest share the scenario's duration") {
  Run run;
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FractionHold{0.25}},
                        {.ops = {}, .setup = {}, .hold = RestHold{}}};
  REQUIRE(run.go());
  CHECK(run.guest.log == Log{"wait @2500", "read_file @2500", "wait @10010", "read_file @10010"});
  REQUIRE(run.progress.size() == 2);
  CHECK(run.progress[0].steps == 2);
  CHECK(run.progress[0].remaining == Duration(10s));
  CHECK(run.progress[1].step == 2);
  CHECK(run.progress[1].remaining == Duration(7500ms));
}

TEST_CASE("every op leaves an event with the counts after it") {
  Run run;
  run.scenario.cgroups["web"] = two_spinners();
  run.scenario.steps = {
      {.ops = {StopCgroupOp{"web"}, RemoveCgroupOp{"web"}}, .setup = {}, .hold = FixedHold{1s}}};
  REQUIRE(run.go());
  const auto& events = run.timeline.events;
  REQUIRE(events.size() == 3);
  CHECK(events[0].op == "add_cgroup");
  CHECK(events[0].cgroup == "web");
  CHECK(events[0].step == 0);
  CHECK(events[0].offset_ns == 20'000'000);
  CHECK(events[0].took_ns == 20'000'000);
  CHECK(events[0].cgroups == 1);
  CHECK(events[0].workers == 2);
  CHECK(events[1].op == "stop_cgroup");
  CHECK(events[1].step == 1);
  CHECK(events[1].workers == 0);
  CHECK(events[2].op == "remove_cgroup");
  CHECK(events[2].cgroups == 0);
}

TEST_CASE("an op that fails ends the run and is named") {
  Run run;
  run.guest.before_answer = [](const protocol::Request& request) -> Status {
    if (std::holds_alternative<protocol::FreezeCgroup>(request))
      return Error{ErrorCode::kInvalidArgument, "no such cgroup"};
    return ok();
  };
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}},
                        {.ops = {FreezeCgroupOp{"web"}}, .setup = {}, .hold = FixedHold{1s}}};
  const auto status = run.go();
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "step 2: freeze_cgroup web: no such cgroup");
  CHECK(run.timeline.events.empty());
  REQUIRE(run.timeline.steps.size() == 2);
  CHECK_FALSE(run.timeline.steps[1].hold_start_ns);
  CHECK_FALSE(run.timeline.steps[1].end_ns);
}

TEST_CASE("an op on a map of a guest whose memory can't be read ends the run") {
  Run run;
  run.scenario.steps = {
      {.ops = {ReadBpfMapOp{"ktstr.bss", "enqueued", {}}}, .setup = {}, .hold = FixedHold{1s}}};
  const auto status = run.go();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message ==
        "step 1: read_bpf_map ktstr.bss enqueued: the guest's memory can't be read");
}

TEST_CASE("a guest that is silent after a step ends the run") {
  Run run;
  run.guest.before_answer = [](const protocol::Request& request) -> Status {
    if (std::holds_alternative<protocol::ReadFile>(request))
      return Error{ErrorCode::kTimeout, "no answer within 10s"};
    return ok();
  };
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{1s}}};
  const auto status = run.go();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kTimeout);
  CHECK(status.error().message == "the guest does not answer after step 1: no answer within 10s");
}

TEST_CASE("cgroups of a step's setup end with it, unless it keeps them or is the last") {
  Run run;
  run.scenario.steps = {{.ops = {}, .setup = {{"first", two_spinners()}}, .hold = FixedHold{1s}},
                        {.ops = {}, .setup = {{"kept", two_spinners()}}, .hold = FixedHold{1s}, .keep = true},
                        {.ops = {}, .setup = {{"last", two_spinners()}}, .hold = RestHold{}}};
  REQUIRE(run.go());
  std::vector<std::string> removed;
  for (const auto& event : run.timeline.events)
    if (event.op == "remove_cgroup") removed.push_back(*event.cgroup);
  CHECK(removed == std::vector<std::string>{"first"});
  CHECK(run.workload.groups()[0].reports.size() == 2);
  CHECK(run.workload.worker_count() == 4);
}

TEST_CASE("a setup's cgroups end from the inside out, those that an op removed not again") {
  Run run;
  run.scenario.steps = {
      {.ops = {}, .setup = {{"a", {}}, {"a/b", two_spinners()}}, .hold = FixedHold{1s}},
      {.ops = {RemoveCgroupOp{"c"}}, .setup = {{"c", {}}}, .hold = LoopHold{1s, Duration(1s)}},
      {.ops = {}, .setup = {}, .hold = RestHold{}}};
  REQUIRE(run.go());
  std::vector<std::string> removed;
  for (const auto& event : run.timeline.events)
    if (event.op == "remove_cgroup") removed.push_back(*event.cgroup);
  CHECK(removed == std::vector<std::string>{"a/b", "a", "c"});
}

namespace {

protocol::SchedulerChanged death() {
  protocol::SchedulerChanged changed;
  changed.current.emplace().death = "its program ended (exited 1)";
  return changed;
}

/// Two holds of 4 s under a scheduler that dies 1 s into the first.
Run dying_run() {
  Run run;
  run.scenario.scheduler.emplace().name = "one";
  run.scenario.steps = {{.ops = {}, .setup = {}, .hold = FixedHold{4s}},
                        {.ops = {}, .setup = {}, .hold = FixedHold{4s}}};
  protocol::SchedulerChanged started;
  started.current.emplace().attached = true;
  run.guest.scheduler_answers = {started, death()};
  run.guest.scheduler_end = Duration(1s);
  return run;
}

}  // namespace

TEST_CASE("a scheduler's death ends the hold at once") {
  auto run = dying_run();
  const auto status = run.go();
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "step 1: the scheduler one died: its program ended (exited 1)");
  CHECK(run.guest.log == Log{"attach_scheduler @0", "wait @1000", "query_scheduler @1000"});
}

TEST_CASE("after the death that a scenario expects the hold goes on") {
  auto run = dying_run();
  run.expected = SchedulerErrorExpectation{};
  REQUIRE(run.go());
  CHECK(run.guest.log == Log{"attach_scheduler @0", "wait @1000", "query_scheduler @1000", "wait @4010",
                             "read_file @4010", "wait @8020", "read_file @8020"});
}
