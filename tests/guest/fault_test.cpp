// Guests and emulators that die, and what the report says of it.
#include <doctest/doctest.h>

#include "engine/report/text.h"
#include "introspect/dump/dump.h"
#include "tests/guest/child_process.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;
using ktstr::testing::children_of;
using ktstr::testing::ProcessHandle;

namespace {

/// A worker that wants more memory than its cgroup may have.
Scenario memory_hog() {
  auto scenario = small_scenario("memory hog");
  scenario.duration = 20s;
  auto& web = scenario.cgroups["web"];
  web.memory_max = ByteSize{4 << 20};
  web.works[0].work = PageFaultChurn{.size = ByteSize{64 << 20}, .touches = 100'000, .spin = 1};
  return scenario;
}

/// A scenario whose "scheduler" writes `line` on the console and ends.
Scenario forging(const std::string& line) {
  auto scenario = small_scenario("forged");
  scenario.scheduler.emplace();
  scenario.scheduler->name = "forger";
  scenario.scheduler->path = GUEST_FORGER;
  scenario.scheduler->args = {line};
  return scenario;
}

}  // namespace

TEST_CASE("a death that a program writes on the console is nobody's death") {
  const auto kernel = default_kernel();
  if (!kernel) SKIP_TEST("no kernel is cached");
  if (!kernel->metadata.can_run_schedulers()) SKIP_TEST("the kernel has no sched_ext");
  for (const char* line : {"Oops: int3: 0000 [#1] SMP NOPTI", "Kernel panic - not syncing: pwned"}) {
    const auto report = run_scenario(forging(line), {});
    REQUIRE_MESSAGE(report, report.error().message);
    INFO(to_text(*report));
    CHECK(report->verdict == Outcome::kFail);
    CHECK(report->emulator_faults.empty());
    REQUIRE_FALSE(report->failures.empty());
    CHECK(report->failures[0].message.find("the scheduler forger was not attached: \"said it\"") !=
          std::string::npos);
    CHECK(report->failures[0].message.find(line) == std::string::npos);
    CHECK(report->console_tail.value_or("").find(line) != std::string::npos);
  }
}

TEST_CASE("a guest that panics in mid-run fails, its panic line first") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = memory_hog();
  scenario.kernel_args = {"sysctl.vm.panic_on_oom=2"};
  const ktstr::test::TemporaryDirectory directory;
  RunOptions options;
  options.dump_dir = directory.path();
  const auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kFail);
  CHECK(exit_code(report->verdict) == 1);
  REQUIRE_FALSE(report->failures.empty());
  CHECK(report->failures[0].check == "guest");
  CHECK(report->failures[0].message.starts_with(
      "the guest's kernel panicked: Kernel panic - not syncing: Out of memory"));
  CHECK(report->console_tail.value_or("").find("Kernel panic") != std::string::npos);
  CHECK(report->emulator_faults.empty());
  REQUIRE(report->dumps.size() == 1);
  const auto& dump = report->dumps[0];
  CHECK(dump.cause == "guest_panic");
  CHECK(dump.detail.starts_with("Kernel panic - not syncing: Out of memory"));
  REQUIRE_MESSAGE(dump.file, dump.problem.value_or(""));
  const auto read = introspect::read_dump(*dump.file);
  REQUIRE_MESSAGE(read, read.error().message);
  const auto& memory = std::get<introspect::FailureDumpReport>(*read);
  REQUIRE(memory.vcpu_regs.size() == report->machine.cpus);
  const auto goes_on_in = [&](std::string_view function) {
    return std::ranges::count_if(memory.vcpu_regs, [&](const auto& registers) {
      return registers && registers->symbol.value_or("").starts_with(function);
    });
  };
  CHECK(goes_on_in("native_machine_emergency_restart+") == 1);
  CHECK(goes_on_in("stop_this_cpu+") == static_cast<std::ptrdiff_t>(report->machine.cpus) - 1);
  CHECK(memory.cpu_runqueues.size() == report->machine.cpus);
  // it panicked in a page fault of a worker, which still is current on its CPU
  CHECK(std::ranges::any_of(memory.cpu_runqueues, [](const auto& rq) {
    return rq.curr_class == "fair" && rq.curr_pid.value_or(0) != 0;
  }));
}

TEST_CASE("a guest that panics at boot fails, its panic line first") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("no init");
  scenario.kernel_args = {"rdinit=/nonexistent"};
  const auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kFail);
  REQUIRE_FALSE(report->failures.empty());
  CHECK(report->failures[0].message.starts_with("the guest's kernel panicked: Kernel panic - not syncing: "));
  CHECK_FALSE(report->timings.boot_ns);
}

TEST_CASE("a worker that the guest kills fails the run and is named") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = memory_hog();
  scenario.duration = 3s;
  const auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kFail);
  REQUIRE_FALSE(report->failures.empty());
  CHECK(report->failures[0].check == "worker_exit");
  CHECK(report->failures[0].cgroup == "web");
  CHECK(report->failures[0].message.ends_with(
      "(page_fault_churn) was killed by the OOM killer (cgroup limit 4M)"));
}

TEST_CASE("an emulator that is killed in mid-run leaves the run inconclusive") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("killed");
  scenario.duration = 60s;
  RunOptions options;
  options.progress = [](const Progress& at) {
    if (at.stage != Stage::kStep) return;
    for (const int pid : children_of(::getpid())) ::kill(pid, SIGKILL);
  };
  const auto report = run_scenario(scenario, options);
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kInconclusive);
  CHECK(exit_code(report->verdict) == 2);
  CHECK(report->failures.empty());
  CHECK(report->reason.value_or("").find("QEMU was killed by SIGKILL") != std::string::npos);
  CHECK(report->emulator_faults.empty());
  CHECK(report->timeline.steps.size() == 1);
  CHECK_FALSE(report->timeline.steps[0].end_ns);
}

TEST_CASE("a guest that is never ready fails at the deadline, with its last console lines") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("never ready");
  scenario.kernel_args = {"initcall_blacklist=virtio_console_init", "loglevel=7"};
  const auto report = run_scenario(scenario, {.boot_timeout = 5s});
  REQUIRE_MESSAGE(report, report.error().message);
  INFO(to_text(*report));
  CHECK(report->verdict == Outcome::kFail);
  REQUIRE_FALSE(report->failures.empty());
  CHECK(report->failures[0].message == "the guest was not ready within 5s");
  CHECK(report->console_tail.value_or("").size() > 100);
  CHECK(children_of(::getpid()).empty());
}

TEST_CASE("a guest whose kernel has no channel device fails with its agent's last words") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  auto scenario = small_scenario("no channel");
  scenario.kernel_args = {"initcall_blacklist=virtio_console_init"};
  const auto report = run_scenario(scenario, {});
  REQUIRE_MESSAGE(report, report.error().message);
  CHECK(
      to_text(*report).starts_with("FAIL no channel: the guest's agent gave up: no channel device appeared: "
                                   "the kernel needs VIRTIO_PCI and "
                                   "VIRTIO_CONSOLE built in\n"));
}

TEST_CASE("a kernel that is not cached is an error, not a verdict") {
  const auto report = run_scenario(small_scenario("no kernel"), {.kernel = "1.2.3"});
  REQUIRE_FALSE(report);
  CHECK(report.error().message.find("1.2.3") != std::string::npos);
}
