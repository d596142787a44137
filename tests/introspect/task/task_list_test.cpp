#include "introspect/task/task_list.h"

#include <doctest/doctest.h>

#include "tests/introspect/scx/scx_guest.h"

namespace ktstr::introspect::test {
namespace {

TaskList list(const ScxGuest& guest, std::size_t cap = kMaxListedTasks) {
  const Kernel kernel = guest.attach();
  TaskListLayout layout;
  REQUIRE(layout.resolve(kernel.btf()));
  return list_tasks(kernel, layout, cap).value();
}

}  // namespace

TEST_CASE("all threads of all processes are listed, and the idle task is not") {
  ScxGuest guest;
  CHECK(list(guest).tasks.empty());
  const KernelVirt first = guest.add_task(1, "init");
  const KernelVirt second = guest.add_task(2, "worker");
  const KernelVirt thread = guest.add_thread(second, 3, "worker-2");
  const auto found = list(guest);
  CHECK(found.tasks == std::vector{first, second, thread});
  CHECK_FALSE(found.truncated);
  CHECK(found.problems.empty());
}

TEST_CASE("a list longer than the cap says so, whether of processes or of threads") {
  ScxGuest guest;
  const KernelVirt first = guest.add_task(1, "init");
  guest.add_thread(first, 2, "thread");
  guest.add_thread(first, 3, "thread");
  CHECK(list(guest, 2).tasks.size() == 2);
  CHECK(list(guest, 2).truncated);
  CHECK_FALSE(list(guest, 3).truncated);
  ScxGuest many;
  for (std::int32_t pid = 1; pid <= 3; ++pid) many.add_task(pid, "task");
  CHECK(list(many, 2).truncated);
}

TEST_CASE("damage in one process is told, and the others are listed") {
  ScxGuest guest;
  const KernelVirt first = guest.add_task(1, "first");
  const KernelVirt second = guest.add_task(2, "second");
  SUBCASE("no signal_struct") {
    guest.set(first, "task_struct", "signal", KernelVirt(1));
    const auto found = list(guest);
    CHECK(found.tasks == std::vector{first, second});
    CHECK(found.problems.size() == 1);
  }
  SUBCASE("a thread list that leads astray") {
    guest.set(first, "task_struct", "thread_node.next", KernelVirt(0xffff'c900'0000'0000));
    const auto found = list(guest);
    CHECK(found.tasks.back() == second);
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].find("unmapped memory") != std::string::npos);
  }
  SUBCASE("a list of processes that leads back into itself") {
    guest.set(second, "task_struct", "tasks.next", guest.member(second, "task_struct", "tasks"));
    const auto found = list(guest);
    CHECK(found.tasks == std::vector{first, second});
    CHECK(found.problems == std::vector<std::string>{"list of processes: the links form a cycle"});
  }
}

TEST_CASE("processes that share one thread list do not multiply the work or the tasks") {
  ScxGuest guest;
  const KernelVirt first = guest.add_task(1, "first");
  const auto signal = guest.attach().read<KernelVirt>(guest.member(first, "task_struct", "signal")).value();
  for (std::int32_t pid = 2; pid < 40; ++pid) {
    guest.add_thread(first, 100 + pid, "thread");
    guest.set(guest.add_task(pid, "other"), "task_struct", "signal", signal);
  }
  const auto found = list(guest, 50);
  CHECK(found.tasks.size() == 39);
  CHECK(found.truncated);
}

TEST_CASE("entries put tasks that are runnable or running first, once each, with what is known of them") {
  const KernelVirt a(0x1000), b(0x2000), c(0x3000), d(0x4000), idle(0x5000);
  const std::vector tasks{a, b, c};
  const std::vector<std::uint64_t> runnable{c.value(), d.value()};
  const auto entries = task_entries(tasks, runnable, {{b, KernelVirt(0x77)}, {idle, KernelVirt(0x88)}});
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].task == c);
  CHECK(entries[0].is_runnable_in_scx);
  CHECK(entries[1].task == d);
  CHECK(entries[2].task == b);
  CHECK(entries[2].running_pc == KernelVirt(0x77));
  CHECK_FALSE(entries[2].is_runnable_in_scx);
  CHECK(entries[3].task == a);
  CHECK_FALSE(entries[3].running_pc.has_value());
}

}  // namespace ktstr::introspect::test
