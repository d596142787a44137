#include "engine/dump/text.h"

#include <doctest/doctest.h>

#include "tests/hostile_text.h"
#include "tests/introspect/dump/sample_dump.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::introspect::testing::sample_report;

namespace {

std::string text_of(const introspect::FailureDump& dump, const DumpTextOptions& options = {}) {
  const auto text = to_text(dump, options);
  REQUIRE_MESSAGE(text, text.error().message);
  return *text;
}

}  // namespace

TEST_CASE("a dump begins with its cause and the scheduler's exit") {
  const auto text = text_of(sample_report());
  const std::string expected =
      "dump, scheduler_error: exit_kind turned to 1026\n"
      "  Linux version 7.3.4\n"
      "  2.500 s after the machine's start; the guest stood still for 19.0 ms (stop 3.0, dump 15.0)\n"
      "  cut short after 0.0 ms: what came later is missing, 3 map(s) among it\n"
      "exit ERROR_STALL (1026): runnable task stall\n"
      "  worker[12] failed to run for 2.6s\n"
      "    scx_watchdog_workfn+0x1c\n"
      "    0xffffffffc0000000\n"
      "scheduler ktstr, BPF object scx_ktst\n";
  CHECK(text.substr(0, expected.size()) == expected);
}

TEST_CASE("a panicked guest's dump says what there is of registers") {
  auto report = sample_report();
  report.origin.cause = introspect::DumpCause::kGuestPanic;
  const auto says = [&](const char* what) { return text_of(report).find(what) != std::string::npos; };
  report.vcpu_regs.assign(1, std::nullopt);
  CHECK(
      says("  2.500 s after the machine's start; of the memory that the guest left, and its registers when "
           "it reset the machine\n"));
  report.vcpu_regs.clear();
  CHECK(says("  2.500 s after the machine's start; of the memory that the guest left, without registers\n"));
}

TEST_CASE("queues name their tasks") {
  CHECK(text_of(sample_report()).find("  0x100 user: 1 queued: worker/12\n") != std::string::npos);
}

TEST_CASE("what the guest wrote can't control the terminal") {
  CHECK(text_of(sample_report()).find('\x1b') == std::string::npos);
  CHECK(text_of(sample_report(), {.colour = true}).find("\x1b[1;31m") != std::string::npos);
}

TEST_CASE("nothing that a dump's file says reaches the terminal raw or begins a line") {
  const auto& hostile = testing::kHostileText;
  auto report = sample_report();
  report.origin.name = report.origin.detail = report.origin.kernel = hostile;
  report.exit_record->kind_name = report.exit_record->reason = report.exit_record->msg = hostile;
  for (auto& frame : report.exit_record->backtrace) frame.symbol = hostile;
  report.scx_walker_unavailable = report.active_obj_name = hostile;
  for (auto& dsq : report.dsq_states) dsq.origin = hostile, dsq.problem = hostile;
  for (auto& task : report.task_enrichments) task.comm = hostile, task.state = hostile;
  for (auto& map : report.maps)
    map.name = map.type_name = hostile, map.error = hostile,
    map.value = introspect::RenderedValue{
        introspect::RenderedStruct{hostile, {{hostile, {introspect::RenderedEnum{32, 1, hostile, false}}}}}};
  report.problems = {hostile};
  testing::check_harmless("\n" + text_of(report));
  for (const auto& task : report.task_enrichments)
    testing::check_harmless("\n" + text_of(report, {.task = task.pid}));
  introspect::DegradedFailureDumpReport degraded;
  degraded.reason = hostile;
  testing::check_harmless("\n" + text_of(degraded));
}

TEST_CASE("one map is shown alone, with all its entries") {
  const auto text = text_of(sample_report(), {.map = "array"});
  CHECK(text ==
        "map array ARRAY, id 5, 8 bytes a value, 1 entries at most\n"
        "  0: 4\n"
        "  1: unreadable\n");
}

TEST_CASE("one task is shown alone") {
  const auto text = text_of(sample_report(), {.task = 12});
  CHECK(text.substr(0, 15) == "task worker/12\n");
  CHECK(text.find("dsq_id                 0x8000000000000002\n") != std::string::npos);
}

TEST_CASE("CPUs show what runs and waits there, by class") {
  const auto text = text_of(sample_report());
  CHECK(text.find(
            "  cpu  running   class  at             runnable  cfs  rt  dl  scx  scx waiting  scx flags\n"
            "  0    audio/14  rt     schedule+0x1c         4    2   1   1    0            1          -\n") !=
        std::string::npos);
  CHECK(text.find(
            "  cpu 0 dl: fair_server deadline 2100.000 ms, 50.000 ms left\n"
            "  cpu 0 rt: > audio/14 priority 50\n"
            "  cpu 0 cfs: worker/12 lag +0.100 ms vruntime 900.000 ms, a\\x1b[31m/13 lag -0.100 ms vruntime "
            "900.200 ms delayed; average vruntime 900.100 ms\n"
            "  cpu 0: more tasks were queued than a dump holds\n"
            "  cpu 0: cfs: a sched_entity can't be read\n") != std::string::npos);
}

TEST_CASE("without a scheduler of sched_ext's, the kernel's own is named") {
  auto report = sample_report();
  report.scx_sched_state.reset();
  report.scx_walker_unavailable = "no scx walker capture";
  report.cpu_runqueues[0].nr_ext.reset();
  CHECK(text_of(report).find("scheduler: the kernel's own; this kernel has no sched_ext\n") !=
        std::string::npos);
  report.cpu_runqueues[0].nr_ext = 0;
  CHECK(text_of(report).find("scheduler: unknown: sched_ext's state can't be read on this kernel\n") !=
        std::string::npos);
  report.scx_walker_unavailable = "scx_root is NULL (no scheduler attached)";
  CHECK(text_of(report).find("scheduler: the kernel's own; none of sched_ext's is attached\n") !=
        std::string::npos);
}

TEST_CASE("that a kernel has no sched_ext is told once, and not as something that was not read") {
  auto report = sample_report();
  report.scx_sched_state.reset();
  report.scx_walker_unavailable = "no scx walker capture";
  report.problems = {"sched_ext: no struct scx_sched in the kernel's BTF"};
  report.cpu_runqueues[0].nr_ext.reset();
  CHECK(text_of(report).find("not read") == std::string::npos);
  report.problems.push_back("tasks: none");
  CHECK(text_of(report).find("\nnot read\n  tasks: none\n") != std::string::npos);
  report.cpu_runqueues[0].nr_ext = 0;
  CHECK(text_of(report).find(
            "\nnot read\n  sched_ext: no struct scx_sched in the kernel's BTF\n  tasks: none\n") !=
        std::string::npos);
}

TEST_CASE("tasks that run come first, then those that wait, then those that ran last") {
  auto report = sample_report();
  report.task_enrichments.clear();
  const auto add = [&](std::int32_t pid, bool on_cpu, bool on_rq, std::uint64_t last_ran_ns) {
    auto task = introspect::testing::task(pid, "t", static_cast<std::uint64_t>(pid));
    task.state = on_rq ? "R" : "S";
    task.on_cpu = on_cpu, task.on_rq = on_rq, task.last_ran_ns = last_ran_ns;
    report.task_enrichments.push_back(std::move(task));
  };
  add(1, false, false, 5), add(2, false, false, 9), add(3, false, true, 1), add(4, true, true, 2);
  const auto text = text_of(report);
  CHECK(text.find("  t/4") < text.find("  t/3"));
  CHECK(text.find("  t/3") < text.find("  t/2"));
  CHECK(text.find("  t/2") < text.find("  t/1"));
  CHECK(text.find("  t/4   ext    runs") != std::string::npos);
  CHECK(text.find("  t/3   ext    waits") != std::string::npos);
}

TEST_CASE("programs tell what the verifier went through") {
  CHECK(text_of(sample_report()).find("enqueue: cnt=12 nsecs=480 misses=1") != std::string::npos);
  CHECK(text_of(sample_report()).find(" verified_insns=345\n") != std::string::npos);
}

TEST_CASE("an arena's pages and what is allocated in it are shown") {
  const auto text = text_of(sample_report(), {.map = "arena"});
  CHECK(text.find("  0x100000000000-0x100000000fff: 1 page, 3 of 4096 bytes not zero\n") !=
        std::string::npos);
  CHECK(text.find("scx_task_allocator, 1 allocations of 64 bytes") != std::string::npos);
}

TEST_CASE("a map or task that is not there is an error that helps") {
  const auto map = to_text(sample_report(), {.map = "arary"});
  REQUIRE_FALSE(map);
  CHECK(map.error().message == "the dump has no map \"arary\" (did you mean \"array\"?)");
  const auto task = to_text(sample_report(), {.task = 99});
  REQUIRE_FALSE(task);
  CHECK(task.error().message == "the dump has no task with pid 99 (of 2 tasks)");
}

TEST_CASE("a degraded dump says who did not stop") {
  introspect::DegradedFailureDumpReport report;
  report.reason = "vCPU rendezvous timed out";
  report.vcpu_regs = {introspect::VcpuRegSnapshot{.instruction_pointer = 0x1000}, std::nullopt};
  report.elapsed_ms = 30'000;
  CHECK(text_of(report) ==
        "no dump: vCPU rendezvous timed out\n"
        "  vCPU 0 stopped at 0x1000\n"
        "  vCPU 1: no registers\n"
        "  given up after 30000 ms\n");
}
