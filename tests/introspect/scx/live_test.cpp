// sched_ext's state and the exit records of a real guest, against what is known of it.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include "introspect/scx/exit_reader.h"
#include "introspect/scx/scx_reader.h"
#include "introspect/task/task_reader.h"
#include "tests/introspect/scx/scheduler_guest.h"
#include "tests/skip.h"

namespace ktstr::introspect::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kExitDeadline = std::chrono::seconds(120);
constexpr auto kSpawnDeadline = std::chrono::seconds(60);
constexpr std::size_t kSpinners = 12;

/// What was read while all CPUs stood still.
struct Stopped {
  ScxSnapshot scx;
  std::vector<TaskEnrichment> tasks;
};

Stopped read_stopped(LiveGuest& guest) {
  REQUIRE(guest.machine().freeze(kFreezeDeadline).has_value());
  const Kernel& kernel = guest.kernel();
  Stopped stopped;
  stopped.scx = ScxReader::create(kernel).value().read_all(kernel);
  const auto reader = TaskReader::create(kernel).value();
  std::vector<std::uint64_t> runnable;
  for (const auto& rq : stopped.scx.rq_scx_states)
    runnable.insert(runnable.end(), rq.runnable_task_kvas.begin(), rq.runnable_task_kvas.end());
  const auto list = list_tasks(kernel, reader.list_layout()).value();
  CHECK(list.problems == std::vector<std::string>());
  stopped.tasks = reader.read_all(kernel, task_entries(list.tasks, runnable, {})).tasks;
  REQUIRE(guest.machine().thaw().has_value());
  return stopped;
}

const TaskEnrichment* find_task(const Stopped& stopped, std::uint64_t kva) {
  const auto found = std::ranges::find(stopped.tasks, kva, &TaskEnrichment::task_kva);
  return found == stopped.tasks.end() ? nullptr : &*found;
}

/// A CPU may have been stopped between putting one task into the tree and into the list (dispatch_enqueue()).
void check_same_order(std::vector<std::uint64_t> tree, const std::vector<std::uint64_t>& list) {
  CHECK(tree.size() <= list.size() + 1);
  std::erase_if(tree,
                [&](std::uint64_t task) { return std::find(list.begin(), list.end(), task) == list.end(); });
  CHECK(tree == list);
}

/// Every task on a DSQ says itself that it is on that one, and a queue of vtimes is in their order.
void check_queued(const Stopped& stopped, const DsqState& dsq) {
  CAPTURE(dsq.origin);
  CAPTURE(dsq.id);
  CHECK_FALSE(dsq.problem.has_value());
  CHECK(dsq.nr == dsq.task_kvas.size());
  std::uint64_t last_vtime = 0;
  for (const std::uint64_t kva : dsq.task_kvas) {
    const TaskEnrichment* task = find_task(stopped, kva);
    REQUIRE(task != nullptr);
    CHECK(task->scx->dsq_kva == dsq.dsq_kva);
    CHECK(task->sched_class == "ext");
    if (dsq.priq_task_kvas) CHECK(static_cast<std::int64_t>(*task->scx->dsq_vtime - last_vtime) >= 0);
    if (dsq.priq_task_kvas) last_vtime = *task->scx->dsq_vtime;
  }
  if (dsq.priq_task_kvas) check_same_order(*dsq.priq_task_kvas, dsq.task_kvas);
}

/// The running task is not on the list. nr_running counts it unless it is about to sleep.
void check_run_queue(const Stopped& stopped, const RqScxState& rq) {
  CAPTURE(rq.cpu);
  CHECK_FALSE(rq.runnable_problem.has_value());
  CHECK(rq.nr_running >= rq.runnable_task_kvas.size());
  CHECK(rq.nr_running <= rq.runnable_task_kvas.size() + 1);
  CHECK(std::ranges::count(rq.flag_names, "ONLINE") == 1);
  for (const std::uint64_t kva : rq.runnable_task_kvas) {
    const TaskEnrichment* task = find_task(stopped, kva);
    REQUIRE(task != nullptr);
    CHECK(task->cpu == rq.cpu);
    CHECK(task->state == "R");
    CHECK(task->scx->state == "ENABLED");
  }
}

std::vector<std::string> origins(const ScxSnapshot& snapshot) {
  std::vector<std::string> names;
  for (const auto& dsq : snapshot.dsq_states) names.push_back(dsq.origin);
  return names;
}

Stopped wait_until_all_spin(LiveGuest& guest) {
  const auto spins = [](const TaskEnrichment& task) { return task.comm == "spinner" && task.state == "R"; };
  Stopped stopped;
  for (const auto deadline = Clock::now() + kSpawnDeadline; Clock::now() < deadline;) {
    stopped = read_stopped(guest);
    if (std::ranges::count_if(stopped.tasks, spins) == kSpinners) return stopped;
    REQUIRE(guest.agent().ask(engine::protocol::ReadFile{"/proc/loadavg"}).has_value());
  }
  FAIL("the spinners do not spin");
  return stopped;
}

void check_running_scheduler(const std::optional<std::string>& kernel) {
  auto booted = boot_scheduler_guest(kernel);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  auto& guest = **booted;
  const auto before = read_stopped(guest);
  CHECK(before.scx.scx_walker_unavailable == "scx_root is NULL (no scheduler attached)");
  CHECK(before.scx.dsq_states.size() >= kSchedulerTopology.cpus());

  const auto attached = attach_scx_ktstr(guest, {});
  REQUIRE_MESSAGE(attached.has_value(), attached.error().message);
  REQUIRE(spawn_spinners(guest, kSpinners, "spinner"));
  const auto stopped = wait_until_all_spin(guest);
  REQUIRE(stopped.scx.scx_sched_state.has_value());
  CHECK(stopped.scx.scx_sched_state->ops_name == "ktstr");
  CHECK(stopped.scx.scx_sched_state->enable_state == "enabled");
  CHECK(stopped.scx.scx_sched_state->exit_kind_name == "SCX_EXIT_NONE");
  CHECK(stopped.scx.scx_sched_state->bypass_depth == 0);
  CHECK_FALSE(stopped.scx.scx_walker_unavailable.has_value());
  CHECK(stopped.scx.problems == std::vector<std::string>());
  CHECK(stopped.scx.rq_scx_states.size() == kSchedulerTopology.cpus());
  for (const auto& rq : stopped.scx.rq_scx_states) check_run_queue(stopped, rq);
  for (const auto& dsq : stopped.scx.dsq_states) check_queued(stopped, dsq);
  const auto names = origins(stopped.scx);
  CHECK(std::ranges::count(names, "local cpu 3") == 1);
  CHECK(std::ranges::count(names, "global node 0") == 1);
  // scx_ktstr makes one for each LLC.
  CHECK(std::ranges::count(names, "user") >= 2);
  // Those that do not run wait in a DSQ, but for one that a CPU is just about to take.
  std::size_t on_dsq = 0, running = 0;
  for (const auto& task : stopped.tasks) {
    if (task.comm != "spinner") continue;
    running += task.on_cpu == true;
    on_dsq += task.scx->dsq_kva.has_value();
  }
  CHECK(running <= kSchedulerTopology.cpus());
  CHECK(running + on_dsq + kSchedulerTopology.cpus() >= kSpinners);
}

/// Waits until the guest's scheduler has ended for an error; gives the last record that could be read. A
/// request to the agent is what passes the time.
std::optional<ScxExitRecord> wait_for_record(LiveGuest& guest, const ScxExitReader& reader) {
  std::optional<ScxExitRecord> last;
  for (const auto deadline = Clock::now() + kExitDeadline; Clock::now() < deadline;) {
    const auto kind = reader.read_exit_kind(guest.kernel());
    const bool alive = kind && *kind && !reader.is_error((**kind).kind);
    if (!alive) {
      const auto records = reader.ended(guest.kernel());
      if (!records.empty()) last = records[0];
      if (last && (last->settled || records.empty())) return last;
    }
    REQUIRE(guest.agent().ask(engine::protocol::ReadFile{"/proc/loadavg"}).has_value());
  }
  return last;
}

void check_stall(const std::optional<std::string>& kernel) {
  auto booted = boot_scheduler_guest(kernel);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  auto& guest = **booted;
  REQUIRE(spawn_spinners(guest, 2, "stuck"));
  const auto attached = attach_scx_ktstr(guest, {"--stall-comm", "stuck", "--timeout-ms", "2000"});
  REQUIRE_MESSAGE(attached.has_value(), attached.error().message);
  const auto reader = ScxExitReader::create(guest.kernel()).value();
  const auto record = wait_for_record(guest, reader);
  REQUIRE(record.has_value());
  CHECK(record->kind_name == "SCX_EXIT_ERROR_STALL");
  CHECK(reader.is_error(record->kind));
  CHECK(record->reason == "runnable task stall");
  REQUIRE(record->msg.has_value());
  CHECK(record->msg->find("stuck") != std::string::npos);
  CHECK(record->msg->find("failed to run for") != std::string::npos);
  CHECK(record->ops_name == "ktstr");
  CHECK(record->settled);
  REQUIRE(record->dump.has_value());
  CHECK(record->dump->find("stuck") != std::string::npos);
  CHECK_FALSE(record->dump_truncated);
  CHECK(std::ranges::any_of(record->backtrace, [](const ScxExitFrame& frame) {
    return frame.symbol.value_or("").starts_with("scx_watchdog_workfn+");
  }));

  // Its loader takes the link down; then nothing of it is left to be read, and nothing is made up.
  const auto status = guest.agent().ask(engine::protocol::DetachScheduler{});
  REQUIRE_MESSAGE(status.has_value(), status.error().message);
  CHECK(reader.ended(guest.kernel()).empty());
  CHECK_FALSE(reader.read_exit_kind(guest.kernel()).value().has_value());
}

}  // namespace

TEST_CASE("a running scheduler's run queues, DSQs and tasks agree with each other on the default kernel") {
  if (const auto reason = missing_for_scheduler(std::nullopt)) SKIP_TEST(*reason);
  check_running_scheduler(std::nullopt);
}

TEST_CASE("a running scheduler's run queues, DSQs and tasks agree with each other on an older kernel") {
  if (const auto reason = missing_for_scheduler("6.18")) SKIP_TEST(*reason);
  check_running_scheduler("6.18");
}

TEST_CASE("a stalled scheduler's exit record is that of the kernel's watchdog on the default kernel") {
  if (const auto reason = missing_for_scheduler(std::nullopt)) SKIP_TEST(*reason);
  check_stall(std::nullopt);
}

TEST_CASE("a stalled scheduler's exit record is that of the kernel's watchdog on an older kernel") {
  if (const auto reason = missing_for_scheduler("6.18")) SKIP_TEST(*reason);
  check_stall("6.18");
}

}  // namespace ktstr::introspect::test
