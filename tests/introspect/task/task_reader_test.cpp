#include "introspect/task/task_reader.h"

#include <doctest/doctest.h>

#include <array>

#include "tests/introspect/scx/scx_guest.h"

namespace ktstr::introspect::test {
namespace {

TaskEnrichment read(const ScxGuest& guest, const TaskWalkerEntry& entry) {
  const Kernel kernel = guest.attach();
  auto task = TaskReader::create(kernel).value().read(kernel, entry);
  REQUIRE(task.has_value());
  return *task;
}

/// Gives the process of `task` its group and session.
void set_pids(ScxGuest& guest, KernelVirt task, std::int32_t group, std::int32_t session) {
  const Kernel kernel = guest.attach();
  const auto signal = kernel.read<KernelVirt>(guest.member(task, "task_struct", "signal")).value();
  const auto pid = [&](std::int32_t number) {
    const KernelVirt place = guest.allocate(64);
    guest.write(guest.member(place, "pid", "numbers"), number);
    return place;
  };
  guest.set(signal, "signal_struct", "pids[2]", pid(group));
  guest.set(signal, "signal_struct", "pids[3]", pid(session));
  guest.set(signal, "signal_struct", "nr_threads", std::int32_t{3});
  guest.set(signal, "signal_struct", "nvcsw", std::uint64_t{70});
}

}  // namespace

TEST_CASE("a task's identity, relations and priorities are those of its structures") {
  ScxGuest guest;
  const KernelVirt parent = guest.add_task(1, "init");
  const KernelVirt task = guest.add_task(42, "a name of 15 by");
  set_pids(guest, task, 40, 39);
  guest.set(task, "task_struct", "real_parent", parent);
  guest.set(task, "task_struct", "prio", std::int32_t{98});
  guest.set(task, "task_struct", "static_prio", std::int32_t{115});
  guest.set(task, "task_struct", "rt_priority", std::uint32_t{7});
  guest.set(task, "task_struct", "policy", std::uint32_t{7});
  guest.set(task, "task_struct", "nvcsw", std::uint64_t{12});
  guest.set(task, "task_struct", "nivcsw", std::uint64_t{5});
  guest.set(task, "task_struct", "__state", std::uint32_t{1});
  guest.set(task, "task_struct", "on_cpu", std::uint8_t{1});
  const KernelVirt mask = guest.allocate(64);
  guest.write(mask, std::uint64_t{3});
  guest.set(task, "task_struct", "cpus_ptr", mask);
  const auto found = read(guest, {task, false, {}});
  CHECK(found.pid == 42);
  CHECK(found.tgid == 42);
  CHECK(found.comm == "a name of 15 by");
  CHECK(found.group_leader_pid == 42);
  CHECK(found.real_parent_pid == 1);
  CHECK(found.real_parent_comm == "init");
  CHECK(found.ppid == 1);
  CHECK(found.pgid == 40);
  CHECK(found.sid == 39);
  CHECK(found.nr_threads == 3);
  CHECK(found.state == "S");
  CHECK(found.prio == 98);
  CHECK(found.nice == -5);
  CHECK(found.rt_priority == 7);
  CHECK(found.policy_name == "SCHED_EXT");
  CHECK(found.sched_class == "ext");
  CHECK(found.nvcsw == 12);
  CHECK(found.nivcsw == 5);
  CHECK(found.signal_nvcsw == 70);
  CHECK(found.on_cpu == true);
  CHECK(found.cpus_allowed == "0-1");
  CHECK_FALSE(found.core_cookie.has_value());
  CHECK(found.task_kva == task.value());
}

TEST_CASE("whether a task runs or waits is read from kernels of either width") {
  for (const auto shape : {ScxShape::kNew, ScxShape::kOld}) {
    CAPTURE(static_cast<int>(shape));
    ScxGuest guest(shape);
    const KernelVirt waiting = guest.add_task(42, "waiting");
    const KernelVirt sleeping = guest.add_task(43, "sleeping");
    if (shape == ScxShape::kNew)
      guest.set(waiting, "task_struct", "on_rq", std::uint8_t{1});
    else
      guest.set(waiting, "task_struct", "on_rq", std::int32_t{1});
    CHECK(read(guest, {waiting, false, {}}).on_rq == true);
    CHECK(read(guest, {waiting, false, {}}).on_cpu == false);
    CHECK(read(guest, {sleeping, false, {}}).on_rq == false);
  }
}

TEST_CASE("the parent process of a child of any thread is that thread's process") {
  ScxGuest guest;
  const KernelVirt thread = guest.add_task(7, "second thread");
  guest.set(thread, "task_struct", "tgid", std::int32_t{5});
  const KernelVirt child = guest.add_task(42, "child");
  guest.set(child, "task_struct", "real_parent", thread);
  const auto found = read(guest, {child, false, {}});
  CHECK(found.ppid == 5);
  CHECK(found.real_parent_pid == 7);
  CHECK(found.real_parent_comm == "second thread");
}

TEST_CASE("what sched_ext keeps of a task is named by the kernel's enums, in both of their shapes") {
  for (const auto shape : {ScxShape::kNew, ScxShape::kOld}) {
    CAPTURE(static_cast<int>(shape));
    ScxGuest guest(shape);
    guest.load_scheduler();
    const KernelVirt dsq = guest.add_user_dsq(7, 0);
    const KernelVirt task = guest.add_task(42, "task");
    guest.queue(dsq, task);
    const std::uint32_t enabled = shape == ScxShape::kNew ? 0x400 : 0x300;
    guest.set(task, "task_struct", "scx.flags", enabled | 1);
    guest.set(task, "task_struct", "scx.weight", std::uint32_t{200});
    guest.set(task, "task_struct", "scx.ops_state.counter", std::int64_t{2 | 5 << 2});
    guest.set(task, "task_struct", "scx.dsq_vtime", std::uint64_t{99});
    guest.set(task, "task_struct", "scx.runnable_at", std::uint64_t{1000});
    guest.write(guest.symbol("jiffies_64"), std::uint64_t{1250});
    const auto found = read(guest, {task, true, {}});
    REQUIRE(found.scx.has_value());
    CHECK(found.scx->flag_names == std::vector<std::string>{"QUEUED"});
    CHECK(found.scx->state == "ENABLED");
    CHECK(found.scx->ops_state == "QUEUED");
    CHECK(found.scx->dsq_id == 7);
    CHECK(found.scx->dsq_kva == dsq.value());
    CHECK(found.scx->dsq_vtime == 99);
    CHECK(found.scx->runnable_for_jiffies == 250);
    CHECK_FALSE(found.scx->selected_cpu.has_value());
    CHECK(found.weight == 200);
    CHECK_FALSE(read(guest, {task, false, {}}).scx->runnable_for_jiffies.has_value());
  }
}

TEST_CASE("a task on sched_ext's runnable list that another class runs was boosted out") {
  ScxGuest guest;
  const KernelVirt task = guest.add_task(42, "task");
  CHECK(read(guest, {task, true, {}}).pi_boosted_out_of_scx == false);
  guest.set(task, "task_struct", "sched_class", guest.symbol("fair_sched_class"));
  CHECK(read(guest, {task, true, {}}).pi_boosted_out_of_scx == true);
  CHECK(read(guest, {task, true, {}}).sched_class == "fair");
  CHECK(read(guest, {task, false, {}}).pi_boosted_out_of_scx == false);
}

TEST_CASE("whether a task of an unknown class was boosted out is unknown") {
  ScxGuest guest;
  const KernelVirt task = guest.add_task(42, "task");
  guest.set(task, "task_struct", "sched_class", KernelVirt(0xffff'8880'0000'1000));
  CHECK_FALSE(read(guest, {task, true, {}}).sched_class.has_value());
  CHECK_FALSE(read(guest, {task, true, {}}).pi_boosted_out_of_scx.has_value());
}

TEST_CASE("the parent process of a task whose parent leads no group is that thread's process") {
  ScxGuest guest;
  const KernelVirt thread = guest.add_task(101, "a thread");
  guest.set(thread, "task_struct", "tgid", std::int32_t{100});
  const KernelVirt task = guest.add_task(42, "task");
  guest.set(task, "task_struct", "real_parent", thread);
  const auto found = read(guest, {task, false, {}});
  CHECK(found.ppid == 100);
  CHECK(found.real_parent_pid == 101);
  CHECK(found.real_parent_comm == "a thread");
}

TEST_CASE("an instruction in a lock's slow path is named for the kind of lock") {
  ScxGuest guest;
  const KernelVirt task = guest.add_task(42, "task");
  const auto match = [&](const std::string& symbol, std::uint64_t offset) {
    return read(guest, {task, false, guest.symbol(symbol) + offset}).lock_slowpath_match;
  };
  CHECK(match("native_queued_spin_lock_slowpath", 0x40) == "queued_spin_lock_slowpath");
  CHECK(match("__mutex_lock.constprop.0", 0) == "mutex_lock_slowpath");
  CHECK_FALSE(match("schedule", 4).has_value());
  CHECK_FALSE(read(guest, {task, false, {}}).lock_slowpath_match.has_value());
}

TEST_CASE("what a damaged pointer leads to is absent, the rest is there") {
  ScxGuest guest;
  const KernelVirt task = guest.add_task(42, "task");
  guest.set(task, "task_struct", "signal", KernelVirt(0xffff'c900'0000'0000));
  guest.set(task, "task_struct", "real_parent", KernelVirt(0x10));
  guest.set(task, "task_struct", "sched_class", KernelVirt(0xdead));
  guest.set(task, "task_struct", "policy", std::uint32_t{1000});
  const auto found = read(guest, {task, false, {}});
  CHECK(found.pid == 42);
  CHECK_FALSE(found.nr_threads.has_value());
  CHECK_FALSE(found.pgid.has_value());
  CHECK_FALSE(found.real_parent_pid.has_value());
  CHECK_FALSE(found.sched_class.has_value());
  CHECK(found.policy == 1000);
  CHECK_FALSE(found.policy_name.has_value());
}

TEST_CASE("tasks are cut at the cap and by the caller, and unreadable ones are counted") {
  ScxGuest guest;
  const KernelVirt task = guest.add_task(42, "task");
  const Kernel kernel = guest.attach();
  const TaskReader reader = TaskReader::create(kernel).value();
  std::vector<TaskWalkerEntry> entries(kMaxEnrichedTasks + 1, TaskWalkerEntry{task, false, {}});
  entries[1].task = KernelVirt(0xffff'c900'0000'0000);
  const auto capped = reader.read_all(kernel, entries);
  CHECK(capped.tasks.size() == kMaxEnrichedTasks - 1);
  CHECK(capped.unreadable == 1);
  CHECK(capped.total == kMaxEnrichedTasks + 1);
  CHECK(capped.truncated);
  int asked = 0;
  const auto stopped = reader.read_all(kernel, std::span(entries).first(4), [&] { return ++asked < 3; });
  CHECK(stopped.tasks.size() == 1);
  CHECK(stopped.truncated);
  const auto none = reader.read_all(kernel, {});
  CHECK(none.unavailable == "task walker yielded zero tasks");
  CHECK_FALSE(none.truncated);
}

}  // namespace ktstr::introspect::test
