// What a capture in a guest says of a thread of known behaviour. Everything is counted there: the guest boots
// with the arguments that a scenario with a ctprof op boots with.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/kernels/kernel_store.h"
#include "engine/protocol/frame.h"
#include "engine/run/scheduler_setup.h"
#include "introspect/ctprof/file.h"
#include "tests/introspect/ctprof/subject.h"
#include "tests/skip.h"
#include "tests/temporary_directory.h"
#include "vmm/initramfs.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::truth {
namespace {

using namespace introspect::ctprof;

constexpr Duration kTimeout = std::chrono::seconds(120);  // the guest is emulated, and the host may be busy

std::vector<std::string> counting_arguments() {
  engine::Scenario scenario;
  scenario.steps = {{.ops = {engine::CtprofOp{"before"}}, .setup = {}, .hold = {}}};
  return engine::kernel_args_of(scenario);
}

Result<std::unique_ptr<vmm::Machine>> boot(const engine::CachedKernel& kernel,
                                           const test::TemporaryDirectory& directory) {
  const auto initramfs = directory.path() / "initramfs";
  KTSTR_TRY(vmm::write_initramfs({{"init", std::filesystem::path(CTPROF_GUEST)}}, initramfs));
  return vmm::start_qemu({.kernel_elf = kernel.elf,
                          .kernel_bzimage = kernel.bzimage,
                          .initramfs = initramfs,
                          .topology = {1, 1, 2, 1},
                          .memory = {512U << 20},
                          .kaslr = !kernel.bzimage.empty(),
                          .kernel_args = counting_arguments(),
                          .console_log = directory.path() / "console.log"});
}

Snapshot receive(vmm::Machine& machine) {
  const auto frame = engine::protocol::receive_frame(machine.channel_fd(), kTimeout);
  REQUIRE_MESSAGE(frame.has_value(), frame.error().message << "\n" << machine.console_tail(20));
  auto snapshot = parse_snapshot(*frame);
  REQUIRE_MESSAGE(snapshot.has_value(), *frame);
  return std::move(*snapshot);
}

/// The names of metrics that are absent, with a space before each.
std::string absent_of(const ThreadRecord& record) {
  std::string names;
  for (const auto& metric : metrics())
    if (std::visit([&](auto member) { return !(record.*member).has_value(); }, metric.member))
      names.append(" ").append(metric.name);
  return names;
}

/// The subject's record in two captures.
struct Records {
  ThreadRecord before, after;
};

void check_moves(const Records& subject) {
  std::vector<std::string> absent;
  const auto lines = subject::deviations(subject.before, subject.after, absent);
  CHECK(lines == std::vector<std::string>{});
  CHECK(absent == std::vector<std::string>{});
}

void check_scheduling(const Records& subject) {
  const auto& [before, after] = subject;
  CHECK(before.policy == Category{"SCHED_OTHER"});
  CHECK(after.policy == Category{"SCHED_BATCH"});
  CHECK(before.nice == OrdinalI32{0});
  CHECK(after.nice == OrdinalI32{subject::kSubjectNice});
  CHECK(before.cpu_affinity == CpuAffinity{"0-1"});
  CHECK(after.cpu_affinity == CpuAffinity{"1"});
  CHECK(after.processor == OrdinalI32{1});
  CHECK(after.start_time_clock_ticks == before.start_time_clock_ticks);
}

void check_sums(const ThreadRecord& thread) {
  CHECK(thread.nr_wakeups->value == thread.nr_wakeups_local->value + thread.nr_wakeups_remote->value);
  CHECK(thread.timeslices->value >= thread.voluntary_csw->value + thread.nonvoluntary_csw->value);
  CHECK(thread.run_time_ns->value / 10'000'000 + 1 >=
        thread.utime_clock_ticks->value + thread.stime_clock_ticks->value);
}

/// The guest's program is as it was written: no sanitizer reads or writes for itself.
void check_exact(const Records& subject) {
  const auto grew_by = [&](std::string_view metric) {
    return *subject::number_of(subject.after, metric) - *subject::number_of(subject.before, metric);
  };
  CHECK(grew_by("rchar") == subject::kFileBytes);
  CHECK(grew_by("wchar") == subject::kFileBytes);
  CHECK(grew_by("syscr") == subject::kFileCalls);
  CHECK(grew_by("syscw") == subject::kFileCalls);
}

/// No disk, no swap and no want of memory: of delays that never were there is no shortest. The rest is told
/// of a process's first thread only.
void check_absent(const ThreadRecord& thread) {
  CHECK(absent_of(thread) ==
        " nr_threads core_forceidle_sum allocated_bytes deallocated_bytes blkio_delay_min_ns "
        "swapin_delay_min_ns freepages_delay_min_ns"
        " thrashing_delay_min_ns compact_delay_min_ns irq_delay_min_ns");
  CHECK_FALSE(thread.smaps_rollup_kib.has_value());
}

}  // namespace

TEST_CASE("counters of a thread in a guest move by what it does, and absent stays absent") {
  const auto store = engine::KernelStore::open();
  if (!store) SKIP_TEST("no kernel is cached");
  const auto kernel = store->resolve(std::nullopt);
  if (!kernel) SKIP_TEST("no kernel is cached");
  const test::TemporaryDirectory directory;
  auto machine = boot(*kernel, directory);
  REQUIRE_MESSAGE(machine.has_value(), machine.error().message);
  const auto first = receive(**machine), second = receive(**machine);
  (*machine)->kill();
  CHECK(first.host.tunables.at("kernel/sched_schedstats") == "1");
  CHECK(first.host.tunables.at("kernel/task_delayacct") == "1");
  CHECK(first.host.boot_id == second.host.boot_id);
  const Records subject{subject::subject_of(first), subject::subject_of(second)};
  check_moves(subject);
  check_exact(subject);
  check_scheduling(subject);
  check_sums(subject.after);
  check_absent(subject.after);
}

}  // namespace ktstr::truth
