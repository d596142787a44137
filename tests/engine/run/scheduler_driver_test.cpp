#include "engine/run/scheduler_driver.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "engine/run/judge.h"
#include "tests/engine/run/fake_guest.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;
using ktstr::engine::testing::FakeGuest;
using protocol::SchedulerChanged;
using protocol::SchedulerStatus;

namespace {

SchedulerDef scheduler(const std::string& name) {
  SchedulerDef def;
  def.name = name;
  def.path = "/host/" + name;
  def.args = {"-v"};
  return def;
}

SchedulerStatus status(const std::string& name, bool attached) {
  SchedulerStatus status;
  status.name = name;
  status.attached = attached;
  if (attached) status.ops = name + "_ops";
  return status;
}

SchedulerStatus ended(const std::string& name, std::int32_t code) {
  auto result = status(name, false);
  result.exit = protocol::ExitInfo{"exited", code};
  return result;
}

/// A guest that answers as it is told, and the driver's account.
struct Driven {
  FakeGuest guest;
  StagedSchedulers staged;
  std::vector<SchedulerReport> reports;
  std::vector<SchedulerGap> gaps;
  std::vector<SchedulerExitReport> memory;
  std::optional<Duration> end_seen;
  std::optional<WatchdogReport> watchdog;
  std::optional<SchedulerErrorExpectation> expected;

  Driven() {
    guest.request_time = 100ms;
    for (const auto* name : {"one", "two"})
      staged.programs[std::string("/host/") + name] = std::string("/guest/") + name;
    staged.build_ids["/host/one"] = "c0ffee";
  }
  SchedulerDriver driver() {
    return {guest,
            staged,
            expected,
            {.exit_records = [this] { return std::exchange(memory, {}); },
             .end_seen = [this] { return std::exchange(end_seen, std::nullopt); },
             .set_watchdog = [this](Duration timeout) -> Result<WatchdogReport> {
               if (!watchdog) return Error{ErrorCode::kNotFound, "no such member"};
               watchdog->asked_ns = static_cast<std::uint64_t>(timeout.ns);
               return *watchdog;
             }},
            {reports, gaps}};
  }
  void answer(SchedulerChanged changed) { guest.scheduler_answers.push_back(std::move(changed)); }
};

SchedulerChanged started(const std::string& name) {
  return {.problem = {}, .former = {}, .current = status(name, true), .gap_ns = {}};
}

SchedulerChanged died(const std::string& name) {
  auto current = ended(name, 1);
  current.death = "its program ended (exited 1)";
  current.log = {"barked", "gone"};
  current.kernel_log = {"sched_ext: BPF scheduler \"one\" disabled (runnable task stall)",
                        "sched_ext: one: w[12] failed to run for 2.6s", "   scx_watchdog_workfn+0x1c0/0x2f0"};
  return {.problem = {}, .former = {}, .current = std::move(current), .gap_ns = {}};
}

SchedulerChanged refused(const std::string& name, const std::string& former) {
  auto current = ended(name, 1);
  current.log = {"cannot load"};
  SchedulerChanged changed{.problem = "its program ended (exited 1) before the kernel ran it",
                           .former = {},
                           .current = std::move(current),
                           .gap_ns = {}};
  if (!former.empty()) changed.former = ended(former, 0);
  return changed;
}

}  // namespace

TEST_CASE("what was attached and detached is in the report, with its times") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  CHECK(run.guest.last<protocol::AttachScheduler>().program == "/guest/one");
  CHECK(run.guest.last<protocol::AttachScheduler>().args == std::vector<std::string>{"-v"});
  run.answer({.problem = {}, .former = ended("one", 0), .current = {}, .gap_ns = {}});
  REQUIRE(driver.detach(1));
  REQUIRE(run.reports.size() == 1);
  const auto& report = run.reports[0];
  CHECK(report.name == "one");
  CHECK(report.ops == "one_ops");
  CHECK(report.path == "/host/one");
  CHECK(report.build_id == "c0ffee");
  CHECK(report.fate == SchedulerFate::kDetached);
  CHECK(report.attached_ns == 100'000'000);
  CHECK(report.ended_ns == 200'000'000);
  CHECK(report.exit->code == 0);
  CHECK_FALSE(report.problem);
}

TEST_CASE(
    "a refusal begins with the verifier's word, else the kernel's, else libbpf's, else the program's own") {
  const auto problem_with = [](std::vector<std::string> log, std::vector<std::string> kernel_log) {
    Driven run;
    auto driver = run.driver();
    auto answer = refused("one", "");
    answer.current->log = std::move(log);
    answer.current->kernel_log = std::move(kernel_log);
    run.answer(answer);
    const auto attached = driver.attach(0, scheduler("one"));
    REQUIRE_FALSE(attached);
    return attached.error().message;
  };
  const std::string begin = "before the first step: the scheduler one was not attached: ";
  const std::string end = "; its program ended (exited 1) before the kernel ran it";
  const std::string isolated = "sched_ext: Not compatible with \"isolcpus=\" domain isolation";
  CHECK(problem_with({"R0 invalid mem access 'scalar'", "-- END PROG LOAD LOG --",
                      "libbpf: prog 'enqueue': failed to load: -13", "cannot load"},
                     {isolated}) ==
        begin + "the verifier refused its program enqueue (EACCES): R0 invalid mem access 'scalar'" + end);
  CHECK(problem_with({"libbpf: failed to attach struct_ops: -22", "cannot load"},
                     {isolated, "sched_ext: BPF scheduler \"before\" disabled (unregistered)"}) ==
        begin + "the kernel refused it: Not compatible with \"isolcpus=\" domain isolation" + end);
  CHECK(problem_with({"libbpf: map 'm': failed to create: -1", "cannot load"}, {}) ==
        begin + "\"libbpf: map 'm': failed to create: -1\"" + end);
  CHECK(problem_with({"cannot load"}, {}) == begin + "\"cannot load\"" + end);
}

TEST_CASE("output that the report can't hold goes into a file, and the failure names it") {
  const test::TemporaryDirectory directory;
  Driven run;
  auto driver = run.driver();
  driver.keep_output_in({directory.path() / "logs", "big one"});
  auto answer = refused("one", "");
  answer.current->log_lines_dropped = 99;
  run.answer(answer);
  const auto attached = driver.attach(0, scheduler("one"));
  REQUIRE_FALSE(attached);
  const auto path = directory.path() / "logs" / "big_one.one.log";
  CHECK(attached.error().message.ends_with("; all 1 lines of its output are in " + path.string()));
  CHECK(run.reports.back().log_file == path.string());
  CHECK(run.guest.last<protocol::ReadFile>().path == "/tmp/scheduler-output");
  std::ifstream file(path);
  CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == "1.00 2.00\n");  // as FakeGuest answers
}

TEST_CASE("output of any length is fetched in parts, and the failure says how much of it there is") {
  const auto said_of = [](std::vector<protocol::FileContent> parts) {
    const test::TemporaryDirectory directory;
    Driven run;
    run.guest.file_parts.assign(parts.begin(), parts.end());
    auto driver = run.driver();
    driver.keep_output_in({directory.path(), "big"});
    auto answer = refused("one", "");
    answer.current->log_lines_dropped = 99;
    run.answer(answer);
    const auto attached = driver.attach(0, scheduler("one"));
    REQUIRE_FALSE(attached);
    std::ifstream file(directory.path() / "big.one.log");
    std::string whole;
    for (const auto& part : parts) whole += part.content;
    CHECK(std::string{std::istreambuf_iterator<char>(file), {}} == whole);
    CHECK(run.guest.last<protocol::ReadFile>().offset == whole.size() - parts.back().content.size());
    const auto message = attached.error().message;
    const auto from = message.rfind("; ") + 2;
    return message.substr(from, message.rfind(" are in") - from);
  };
  CHECK(said_of({{"one\ntw", true}, {"o\nthree\n", false}}) == "all 3 lines of its output");
  CHECK(said_of({{"one\ntwo", false}}) == "all 2 lines of its output");
  CHECK(said_of({{"one\n... (the rest was left out)\n", false}}) == "the first 1 lines of its output");
  CHECK(said_of({{"one\n", true}, {"tw\n... (the rest was left out)\n", false}}) ==
        "the first 2 lines of its output");
}

TEST_CASE("a replacement and a restart end one report and begin another") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer({.problem = {}, .former = ended("one", 0), .current = status("two", true), .gap_ns = 5'000'000});
  REQUIRE(driver.replace(1, scheduler("two")));
  run.answer({.problem = {}, .former = ended("two", 0), .current = status("two", true), .gap_ns = 6'000'000});
  REQUIRE(driver.restart(2));
  REQUIRE(run.reports.size() == 3);
  CHECK(run.reports[0].fate == SchedulerFate::kReplaced);
  CHECK(run.reports[1].fate == SchedulerFate::kRestarted);
  CHECK(run.reports[1].gap_ns == 5'000'000);
  CHECK(run.reports[2].fate == SchedulerFate::kAttached);
  CHECK(run.reports[2].name == "two");
  CHECK(run.reports[2].step == 2);
}

TEST_CASE("a scheduler that died breaks the run off, with what the kernel's log says") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer(started("one"));
  REQUIRE(driver.check_alive(1));
  run.answer(died("one"));
  const auto status = driver.check_alive(2);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kUnavailable);
  CHECK(status.error().message ==
        "step 2: the scheduler one died: runnable task stall: w[12] failed to run for 2.6s; its program "
        "ended (exited 1)");
  const auto& report = run.reports.at(0);
  CHECK(report.problem == status.error().message);
  CHECK(report.fate == SchedulerFate::kDied);
  CHECK(report.exit_record->source == "kernel log");
  CHECK(report.exit_record->backtrace == std::vector<std::string>{"scx_watchdog_workfn+0x1c0/0x2f0"});
  CHECK(report.log == std::vector<std::string>{"barked", "gone"});
  REQUIRE(driver.check_alive(3));  // it is gone: nothing is left to ask about
}

TEST_CASE("the record from guest memory is preferred") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.memory = {
      {.source = "guest memory", .kind = "SCX_EXIT_ERROR_STALL", .reason = "stall", .backtrace = {}}};
  run.answer(died("one"));
  const auto status = driver.check_alive(1);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "step 1: the scheduler one died: stall; its program ended (exited 1)");
  CHECK(run.reports[0].exit_record->kind == "SCX_EXIT_ERROR_STALL");
}

TEST_CASE("a replacement that does not load names the error and the former one's fate") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer(refused("two", "one"));
  const auto status = driver.replace(3, scheduler("two"));
  REQUIRE_FALSE(status);
  CHECK(status.error().message ==
        "step 3: the scheduler two was not attached: \"cannot load\"; its program ended (exited 1) before "
        "the kernel "
        "ran it; one had been detached for it, and tasks run under the kernel's own scheduler");
  CHECK(run.reports[0].fate == SchedulerFate::kReplaced);
  CHECK(run.reports[1].fate == SchedulerFate::kRefused);
  CHECK_FALSE(run.reports[1].attached_ns);
}

TEST_CASE("the expected error lets the scenario go on, any other does not") {
  Driven run;
  run.expected = {.contains = "stall", .matches = "w\\[[0-9]+\\] failed"};
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer(died("one"));
  REQUIRE(driver.check_alive(1));
  CHECK(run.reports[0].expected);
  CHECK(run.reports[0].problem);
  run.answer(started("two"));
  REQUIRE(driver.replace(2, scheduler("two")));
  run.answer(refused("one", "two"));
  CHECK_FALSE(driver.replace(3, scheduler("one")));
  CHECK_FALSE(run.reports[2].expected);
}

TEST_CASE("a death that comes out in a replacement is not lost") {
  Driven run;
  run.expected = SchedulerErrorExpectation{};
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  auto changed = started("two");
  changed.former = died("one").current;
  run.answer(std::move(changed));
  REQUIRE(driver.replace(1, scheduler("two")));
  REQUIRE(run.reports.size() == 2);
  CHECK(run.reports[0].fate == SchedulerFate::kDied);
  CHECK(run.reports[1].fate == SchedulerFate::kAttached);
}

namespace {

/// A replacement as the guest's clock has it: it was answered 20 ms after the second one was attached.
SchedulerChanged replaced(const std::string& former, const std::string& next) {
  auto gone = ended(former, 0);
  gone.gone_ns = 50'000'000;
  auto current = status(next, true);
  current.attached_ns = 80'000'000;
  current.load_ns = 25'000'000;
  current.load_cpu_ns = 20'000'000;
  return {.problem = {},
          .former = std::move(gone),
          .current = std::move(current),
          .gap_ns = 30'000'000,
          .answered_ns = 100'000'000};
}

}  // namespace

TEST_CASE("ends and beginnings are dated by the guest's clock, not by the answer") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer(replaced("one", "two"));
  REQUIRE(driver.replace(3, scheduler("two")));
  CHECK(run.reports[0].ended_ns == 150'000'000);
  CHECK(run.reports[1].attached_ns == 180'000'000);
  CHECK(run.reports[1].load_ns == 25'000'000);
  CHECK(run.reports[1].load_cpu_ns == 20'000'000);
  REQUIRE(run.gaps.size() == 1);
  CHECK(run.gaps[0].cause == GapCause::kReplaced);
  CHECK(run.gaps[0].step == 3);
  CHECK(run.gaps[0].former == "one");
  CHECK(run.gaps[0].next == "two");
  CHECK(run.gaps[0].begin_ns == 150'000'000);
  CHECK(run.gaps[0].duration_ns == 30'000'000);
}

TEST_CASE("a death is dated by the look that saw it first, and lasts as a gap until another is attached") {
  Driven run;
  run.expected = SchedulerErrorExpectation{};
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.end_seen = Duration(130ms);
  run.answer(died("one"));
  REQUIRE(driver.check_alive(1));
  CHECK(run.guest.last<protocol::QueryScheduler>().patience.ns > 0);
  CHECK(run.reports[0].ended_ns == 130'000'000);
  run.answer(started("two"));
  REQUIRE(driver.attach(2, scheduler("two")));
  REQUIRE(run.gaps.size() == 1);
  CHECK(run.gaps[0].cause == GapCause::kDied);
  CHECK(run.gaps[0].begin_ns == 130'000'000);
  CHECK(run.gaps[0].next == "two");
  CHECK(run.gaps[0].duration_ns == *run.reports[1].attached_ns - 130'000'000);
}

TEST_CASE("a gap that nobody closes lasts to the end of the account") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  run.answer(refused("two", "one"));
  CHECK_FALSE(driver.replace(1, scheduler("two")));
  static_cast<void>(run.guest.wait_until(Duration(1s)));
  driver.end_account();
  REQUIRE(run.gaps.size() == 1);
  CHECK(run.gaps[0].cause == GapCause::kRefused);
  CHECK_FALSE(run.gaps[0].next);
  CHECK(run.gaps[0].duration_ns == 800'000'000);
}

TEST_CASE("a successor that was preloaded in vain leaves the former one in charge") {
  Driven run;
  auto driver = run.driver();
  run.answer(started("one"));
  REQUIRE(driver.attach(0, scheduler("one")));
  auto preloaded = scheduler("two");
  preloaded.handover = Handover::kPreloaded;
  run.answer(refused("two", ""));
  const auto status = driver.replace(1, preloaded);
  REQUIRE_FALSE(status);
  CHECK(run.guest.last<protocol::ReplaceScheduler>().next.preloaded);
  CHECK(status.error().message.ends_with("before the kernel ran it; one continues"));
  CHECK(run.reports[0].fate == SchedulerFate::kAttached);
  CHECK(run.reports[1].fate == SchedulerFate::kRefused);
  CHECK(driver.current_name() == "one");
  CHECK(run.gaps.empty());
}

TEST_CASE("the watchdog is set as soon as the scheduler is attached") {
  Driven run;
  run.watchdog = WatchdogReport{.own_ns = 5'000'000'000, .asked_ns = 0, .read_back_ns = 2'000'000'000};
  auto driver = run.driver();
  auto def = scheduler("one");
  def.watchdog_timeout = Duration(2s);
  run.answer(started("one"));
  REQUIRE(driver.attach(0, def));
  REQUIRE(run.reports[0].watchdog);
  CHECK(run.reports[0].watchdog->asked_ns == 2'000'000'000);
  run.watchdog.reset();
  run.answer({.problem = {}, .former = ended("one", 0), .current = status("one", true), .gap_ns = {}});
  run.answer(started("one"));
  const auto status = driver.replace(1, def);
  REQUIRE_FALSE(status);
  CHECK(status.error().message == "step 1: the watchdog of the scheduler one can't be set: no such member");
}

TEST_CASE("the judge fails a time without a scheduler that an op makes too long, and no other") {
  RunReport report;
  report.limits = limits_in_force({}, true, 4);
  CHECK(report.limits.max_scheduler_gap == Duration(4s));
  const auto gap = [](GapCause cause, std::uint64_t duration_ns) {
    return SchedulerGap{
        .cause = cause, .step = 2, .former = "one", .next = "two", .duration_ns = duration_ns};
  };
  report.scheduler_gaps = {gap(GapCause::kRestarted, 4'000'000'000), gap(GapCause::kDied, 9'000'000'000)};
  judge(report);
  CHECK(report.failures.empty());
  report.scheduler_gaps.push_back(gap(GapCause::kReplaced, 4'310'000'000));
  judge(report);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].check == "max_scheduler_gap");
  CHECK(report.failures[0].message ==
        "step 2: without a scheduler for 4.31 s while one was replaced (at most 4s)");
  Expectations expect;
  expect.max_scheduler_gap = Duration(300ms);
  CHECK(limits_in_force(expect, false, 1).max_scheduler_gap == Duration(300ms));
}

TEST_CASE("the judge puts a scheduler's end first, and misses an expected one") {
  RunReport report;
  report.limits = limits_in_force({}, false, 2);
  report.schedulers.emplace_back().problem = "step 1: the scheduler one died: stall";
  judge(report);
  REQUIRE(report.failures.size() == 1);
  CHECK(report.failures[0].check == "scheduler");
  CHECK(report.failures[0].message == "step 1: the scheduler one died: stall");

  Expectations expect;
  expect.scheduler_error = {.contains = "stall", .matches = "x+"};
  RunReport quiet;
  quiet.limits = limits_in_force(expect, false, 2);
  judge(quiet);
  REQUIRE(quiet.failures.size() == 1);
  CHECK(quiet.failures[0].message ==
        "no scheduler ended with an error that contains \"stall\" and that matches \"x+\", as was expected");

  RunReport loud = quiet;
  loud.failures.clear();
  loud.schedulers = report.schedulers;
  loud.schedulers[0].expected = true;
  judge(loud);
  CHECK(loud.failures.empty());
}

TEST_CASE("events that a clean scheduler does not cause fail a run that asks for it") {
  Expectations expect;
  expect.events_clean = true;
  RunReport report;
  report.limits = limits_in_force(expect, false, 2);
  auto sample = introspect::MonitorSample::at(100ms);
  sample.cpus.resize(2);
  for (auto& cpu : sample.cpus) number_of(cpu.event_counters.emplace(), "insert_not_owned") = 2;
  report.monitor.emplace().samples.add(sample);
  judge(report);
  REQUIRE_FALSE(report.failures.empty());
  CHECK(report.failures.back().check == "events_clean");
  CHECK(report.failures.back().message == "sched_ext counted 4 events insert_not_owned");
}
