#include "engine/report/text.h"

#include <doctest/doctest.h>

#include "engine/report/ktap.h"
#include "engine/report/text_sections.h"
#include "tests/engine/report/sample_report.h"
#include "tests/hostile_text.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;

TEST_CASE("a passing report fits a screen and says it all") {
  CHECK(to_text(passing_report()) == R"(PASS hello
  kernel 7.3.4-cloud-amd64, 2 CPUs (1n2l1c1t), 512M, qemu-tcg (emulated: defaults x4: max_gap, monitor.sustained_samples)

workers
  cgroup  work      workers  work units  cpu %  spread  longest gap  migrations  p99 wake
  web     cpu_spin        2        2000   90.0    10.0      12.3 ms           2         -

monitor OK: 3 samples every 100.0 ms, 2 missed; imbalance max 3.0 avg 1.67; 1.33 runnable per CPU
  cpu  running avg  max  local dsq max  run delay  switches
  0           1.67    3              0   200.0 us       200
  1           1.00    1              0   200.0 us       200
  domains: MC 0 1, PKG 0-1

timeline (s since the machine's start)
     6.050  set-up  add_cgroup web (1 cgroup, 2 workers)
     6.150  step 1  set_cpuset web (1 cgroup, 2 workers)
     6.200  step 1  hold 2.000 s

time  boot 5.90 s, hold 2.00 s, own 0.26 s (prepare 0.02 s, attach 0.08 s, set-up 0.10 s, collect 0.05 s, shutdown 0.01 s, total 8.16 s)
replay  ktstr run scenarios/hello.lua --kernel 7.3.4 --seed 7
)");
}

TEST_CASE("captures of threads are shown with their files, or why there is none") {
  auto report = passing_report();
  report.ctprof_captures = {{1, "before", 6'500'000'000, 12'300'000, 93, "hello.before.ctprof.zst", {}},
                            {2, "after", 8'000'000'000, 9'000'000, 1, {}, "no space left"}};
  CHECK(to_text(report).find(
            "  ctprof before at 6.500 s (step 1), 93 threads in 12.3 ms: hello.before.ctprof.zst\n"
            "  ctprof after at 8.000 s (step 2), 1 thread in 9.0 ms: no space left\n") != std::string::npos);
}

TEST_CASE("readings of maps are shown, the first of many") {
  auto report = passing_report();
  report.map_readings = {
      {2, 6'500'000'000, "ktstr.bss", 12, "enqueued", "middle", {introspect::RenderedUint{64, 1234}}},
      {2,
       6'600'000'000,
       "ktstr.data",
       13,
       "error_message",
       {},
       {introspect::RenderedText{8, std::string("falling", 8)}}}};
  CHECK(to_text(report).find("  middle: ktstr.bss enqueued = 1234 at 6.500 s (step 2, map 12)\n"
                             "  ktstr.data error_message = \"falling\" at 6.600 s (step 2, map 13)\n") !=
        std::string::npos);
  report.map_readings.resize(23, report.map_readings[0]);
  CHECK(to_text(report).find("  ... and 3 readings more\n") != std::string::npos);
}

TEST_CASE("an op on a map is in the timeline with its map and variable") {
  auto report = passing_report();
  report.timeline.events[0] = {.offset_ns = 6'050'000'000,
                               .step = 1,
                               .op = "write_bpf_map",
                               .map = "ktstr.bss",
                               .variable = "error_now"};
  CHECK(to_text(report).find("step 1  write_bpf_map ktstr.bss error_now (0 cgroups, 0 workers)\n") !=
        std::string::npos);
}

TEST_CASE("the first line is the cause, further failures follow") {
  auto report = passing_report();
  report.verdict = Outcome::kFail;
  report.failures = {{"guest", "the guest's kernel panicked: Oops", {}, {}},
                     {"max_gap", "cgroup web: tid 101 ...", "web", 101}};
  report.console_tail = "line 1\nline 2\n";
  const auto text = to_text(report);
  CHECK(text.starts_with("FAIL hello: the guest's kernel panicked: Oops\n"));
  CHECK(text.find("  also: cgroup web: tid 101 ...\n") != std::string::npos);
  CHECK(text.find("\nconsole\n  | line 1\n  | line 2\n") != std::string::npos);
}

TEST_CASE("a check that thousands of workers fail hides no other, and fills no screen") {
  auto report = passing_report();
  report.verdict = Outcome::kFail;
  for (int i = 1; i <= 2000; ++i)
    report.failures.push_back({"worker_exit", "worker " + std::to_string(i) + " was killed", "web", i});
  report.failures.push_back({"monitor", "imbalance", {}, {}});
  const auto text = to_text(report);
  CHECK(text.starts_with("FAIL hello: worker 1 was killed\n"));
  CHECK(text.find(
            "  also: worker 20 was killed\n  also: ... 1979 failures more of worker_exit (--json has all)\n"
            "  also: worker 2000 was killed\n  also: imbalance\n") != std::string::npos);
  CHECK(text.find("worker 21 ") == std::string::npos);
  CHECK(ktap_test(1, report).find("# ... 1979 failures more of worker_exit (--json has all)\n"
                                  "# worker 2000 was killed\n# imbalance\n") != std::string::npos);
}

TEST_CASE("as many failures of a check as fit are shown without a gap") {
  auto report = passing_report();
  report.verdict = Outcome::kFail;
  for (int i = 1; i <= 21; ++i) report.failures.push_back({"max_gap", "gap " + std::to_string(i), "web", i});
  CHECK(to_text(report).find("  also: gap 20\n  also: gap 21\n") != std::string::npos);
}

TEST_CASE("a console line without end is cut") {
  auto report = passing_report();
  report.console_tail = std::string(4096, 'C') + "\n[    2.0] bad\n";
  CHECK(to_text(report).find("\nconsole\n  | " + std::string(1000, 'C') +
                             "... (3096 bytes more)\n  | [    2.0] bad\n\n") != std::string::npos);
}

TEST_CASE("an inconclusive or skipped run gives its reason on the first line") {
  auto report = passing_report();
  report.verdict = Outcome::kInconclusive;
  report.reason = "the emulator was killed by signal 9";
  CHECK(to_text(report).starts_with("INCONCLUSIVE hello: the emulator was killed by signal 9\n"));
  report.verdict = Outcome::kSkip;
  report.reason = "kernel 6.12 has no sched_ext";
  CHECK(to_text(report).starts_with("SKIP hello: kernel 6.12 has no sched_ext\n"));
}

TEST_CASE("a repeated run is never silent") {
  auto report = passing_report();
  report.emulator_faults = {"int3 in sched_clock_cpu"};
  CHECK(to_text(report).find(
            "the emulator failed and the run was repeated from the start: int3 in sched_clock_cpu\n") !=
        std::string::npos);
}

TEST_CASE("a report without a machine has no empty sections") {
  RunReport report;
  report.scenario = "hello";
  report.machine.topology = "1n1l1c1t";
  report.kernel.version = "7.3.4";
  report.replay = "ktstr run hello.lua";
  CHECK(to_text(report) == R"(SKIP hello
  kernel 7.3.4, 0 CPUs (1n1l1c1t), 0B

time  hold 0.00 s, own 0.00 s (total 0.00 s)
replay  ktstr run hello.lua
)");
}

TEST_CASE("colour is there only when asked for") {
  CHECK(to_text(passing_report()).find('\033') == std::string::npos);
  CHECK(to_text(passing_report(), {.colour = true}).starts_with("\033[1;32mPASS\033[0m hello\n"));
}

TEST_CASE("a loop's ops do not fill the screen") {
  auto report = passing_report();
  report.timeline.events.assign(20, {6'150'000'000, 0, 1, "set_cpuset", "web", 1, 2});
  const auto text = to_text(report);
  CHECK(text.find("... and 8 ops more\n") != std::string::npos);
}

TEST_CASE("times have the unit that suits them") {
  CHECK(time_text(9'999) == "9999 ns");
  CHECK(time_text(10'000) == "10.0 us");
  CHECK(time_text(12'345'678) == "12.3 ms");
  CHECK(time_text(12'345'678'901) == "12.3 s");
}

TEST_CASE("nothing that a report quotes reaches the terminal raw or begins a line") {
  auto report = passing_report();
  const auto& hostile = ktstr::testing::kHostileText;
  report.verdict = Outcome::kFail;
  report.scenario = report.reason.emplace() = report.console_tail.emplace() = hostile;
  report.failures = {{hostile, hostile, hostile, 1}, {hostile, hostile, {}, {}}};
  report.kernel.release = report.machine.fork_problem = report.monitor_problem = report.replay = hostile;
  report.machine.backend = report.machine.topology = hostile;
  report.emulator_faults = {hostile};
  report.dumps = {{hostile, hostile, hostile, hostile, 1, 1, hostile, hostile}};
  report.ctprof_captures = {{1, hostile, 1, 1, 1, {}, hostile}};
  report.map_readings = {{1, 1, hostile, 1, hostile, hostile, {introspect::RenderedUnsupported{hostile}}}};
  report.groups[0].cgroup = report.groups[0].work = hostile;
  report.timeline.events[0] = {1, 1, 0, hostile, hostile, 1, 1, hostile, hostile, hostile};
  auto first = *report.monitor->samples.begin();
  first.cpus[0].sched_domains->front().name = hostile;
  report.monitor->samples = std::vector{first};
  report.monitor->verdict.summary = "monitor " + hostile;  // of the monitor's own sentences
  SchedulerReport scheduler;
  scheduler.name = scheduler.ops.emplace() = scheduler.problem.emplace() = hostile;
  scheduler.log = {hostile};
  scheduler.exit = protocol::ExitInfo{hostile, 1};
  scheduler.exit_record = {hostile, hostile, 1, hostile, hostile, {hostile}, hostile};
  report.schedulers = {scheduler};
  ktstr::testing::check_harmless("\n" + to_text(report));
}

TEST_CASE("console lines that are right on such a machine are no suspects") {
  auto report = passing_report();
  report.console_tail = "[    1.090056] PCI: Fatal: No config space access function found\n[    2.0] bad\n";
  CHECK(to_text(report).find("\nconsole\n  | [    2.0] bad\n\n") != std::string::npos);
  report.console_tail = "[    1.090056] PCI: Fatal: No config space access function found";
  CHECK(to_text(report).find("console") == std::string::npos);
}

TEST_CASE("a program's end is told by its signal's name, and its output with loops once") {
  auto report = passing_report();
  SchedulerReport scheduler;
  scheduler.name = "s";
  scheduler.fate = SchedulerFate::kDied;
  scheduler.problem = "died";
  scheduler.exit = protocol::ExitInfo{"signaled", 11};
  scheduler.log = {"a", "b", "a", "b", "c"};
  scheduler.log_lines_dropped = 7;
  report.schedulers = {scheduler};
  CHECK(to_text(report).find("  s: died, killed by SIGSEGV\n    its output (the end of 12 lines)\n    | a\n"
                             "    | b\n    | ... these 2 lines once more\n    | c\n") != std::string::npos);
}

TEST_CASE("lines of a failure, the console and the kernel's dump stay lines") {
  auto report = passing_report();
  report.verdict = Outcome::kFail;
  report.failures = {{"check", "two\nlines", {}, {}}};
  report.console_tail = "a\tb\r\nc\r\n";
  CHECK(to_text(report).starts_with("FAIL hello: two\n    lines\n  kernel "));
  CHECK(to_text(report).find("console\n  | a\tb\n  | c\n\n") != std::string::npos);
}

TEST_CASE("workers that nobody reported of have no numbers") {
  auto report = passing_report();
  WorkerGroup group{"web", "cpu_spin", CpuSet{0, 1}, {}, 4};
  report.groups = {summarize(group)};
  CHECK(to_text(report).find("  web     cpu_spin  4 (0 reported)           -      -       -            -     "
                             "      -         -\n") != std::string::npos);
}

TEST_CASE("stated limits, checks that were not judged and raised memory are told") {
  auto report = passing_report();
  report.limits.stretched = {"max_gap"};
  report.limits.stated = {"monitor.sustained_samples"};
  report.not_judged = {"max_spread_pct: cgroup web: 18 points"};
  report.machine.memory_asked_bytes = 64ULL << 20;
  const auto text = to_text(report);
  CHECK(text.find(
            "512M (raised from 64M), qemu-tcg (emulated: defaults x4: max_gap; stated limits as stated)\n") !=
        std::string::npos);
  CHECK(text.find("  not judged: max_spread_pct: cgroup web: 18 points\n") != std::string::npos);
  report.limits.stretched.clear();
  CHECK(to_text(report).find("(emulated: no limit stretched)") != std::string::npos);
}

TEST_CASE("the time without a scheduler is in the first lines, with the longest gap's story") {
  auto report = passing_report();
  report.scheduler_gaps = {{.cause = GapCause::kReplaced,
                            .step = 2,
                            .former = "first",
                            .next = "second",
                            .begin_ns = 5'201'000'000,
                            .duration_ns = 310'000'000}};
  const auto line = [&] { return gaps_line(report.scheduler_gaps); };
  CHECK(line() == "  without a scheduler for 0.31 s (step 2 at 5.201 s, first replaced by second)\n");
  const auto text = to_text(report);
  CHECK(text.find(line()) < text.find("workers"));
  report.scheduler_gaps.push_back({.cause = GapCause::kDied,
                                   .step = 3,
                                   .former = "second",
                                   .begin_ns = 6'000'000'000,
                                   .duration_ns = 1'200'000'000});
  CHECK(line() ==
        "  without a scheduler for 1.51 s in 2 gaps, the longest 1.20 s (step 3 at 6.000 s, second died)\n");
}
