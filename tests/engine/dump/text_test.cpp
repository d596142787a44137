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
        "array ARRAY, id 5, 8 bytes a value, 1 entries at most\n"
        "  0: 4\n"
        "  1: unreadable\n");
}

TEST_CASE("one task is shown alone") {
  const auto text = text_of(sample_report(), {.task = 12});
  CHECK(text.substr(0, 10) == "worker/12\n");
  CHECK(text.find("dsq_id                 0x8000000000000002\n") != std::string::npos);
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
