#include "introspect/scx/scx_reader.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/introspect/scx/scx_guest.h"

namespace ktstr::introspect::test {
namespace {

const DsqState* find_dsq(const ScxSnapshot& snapshot, std::string_view origin) {
  const auto found = std::ranges::find(snapshot.dsq_states, origin, &DsqState::origin);
  return found == snapshot.dsq_states.end() ? nullptr : &*found;
}

ScxSnapshot snapshot_of(const ScxGuest& guest) {
  const Kernel kernel = guest.attach();
  return ScxReader::create(kernel).value().read_all(kernel);
}

}  // namespace

TEST_CASE("without a scheduler the run queues and local DSQs are there, and the reason is told") {
  const ScxGuest guest;
  const auto snapshot = snapshot_of(guest);
  CHECK_FALSE(snapshot.scx_sched_state.has_value());
  CHECK(snapshot.scx_walker_unavailable == "scx_root is NULL (no scheduler attached)");
  CHECK(snapshot.rq_scx_states.size() == 2);
  CHECK(snapshot.dsq_states.size() == 2);
  CHECK(find_dsq(snapshot, "local cpu 1")->id == 0x8000'0000'0000'0002);
  CHECK(snapshot.problems.empty());
}

TEST_CASE("a scheduler's members are read from scx_sched") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  guest.set(sched, "scx_sched", "aborting", std::uint8_t{1});
  guest.set(sched, "scx_sched", "bypass_depth", std::int32_t{2});
  guest.set(sched, "scx_sched", "watchdog_timeout", std::uint64_t{500});
  guest.set(sched, "scx_sched", "exit_kind.counter", std::int32_t{1026});
  const auto snapshot = snapshot_of(guest);
  REQUIRE(snapshot.scx_sched_state.has_value());
  const ScxSchedState& state = *snapshot.scx_sched_state;
  CHECK(state.aborting == true);
  CHECK(state.bypass_depth == 2);
  CHECK(state.watchdog_timeout == 500);
  CHECK(state.exit_kind == 1026);
  CHECK(state.exit_kind_name == "SCX_EXIT_ERROR_STALL");
  CHECK(state.ops_name == "test");
  CHECK(state.enable_state == "enabled");
  CHECK(state.source == "live");
  CHECK(state.sched_kva == sched.value());
  CHECK_FALSE(snapshot.scx_walker_unavailable.has_value());
}

TEST_CASE("what is a global variable on an older kernel is read from there, and what it lacks is absent") {
  ScxGuest guest(ScxShape::kOld);
  guest.load_scheduler();
  const auto snapshot = snapshot_of(guest);
  REQUIRE(snapshot.scx_sched_state.has_value());
  CHECK(snapshot.scx_sched_state->bypass_depth == 3);
  CHECK(snapshot.scx_sched_state->watchdog_timeout == 1250);
  CHECK_FALSE(snapshot.scx_sched_state->aborting.has_value());
  CHECK(snapshot.rq_scx_states[0].ops_qseq == 0);
  CHECK_FALSE(snapshot.rq_scx_states[0].nr_immed.has_value());
  CHECK(find_dsq(snapshot, "global node 0") != nullptr);
  CHECK(find_dsq(snapshot, "bypass cpu 0") == nullptr);
}

TEST_CASE("a run queue shows its flags by name, its current task and its runnable list in order") {
  ScxGuest guest;
  const KernelVirt first = guest.add_task(10, "first");
  const KernelVirt second = guest.add_task(11, "second");
  guest.make_runnable(1, first);
  guest.make_runnable(1, second);
  guest.set(guest.rq(1), "rq", "curr", second);
  guest.set(guest.rq(1), "rq", "scx.nr_running", std::uint32_t{2});
  guest.set(guest.rq(1), "rq", "scx.flags", std::uint32_t{1 | 32 | 0x100});
  const auto snapshot = snapshot_of(guest);
  const RqScxState& rq = snapshot.rq_scx_states[1];
  CHECK(rq.nr_running == 2);
  CHECK(rq.flag_names == std::vector<std::string>{"ONLINE", "CLK_VALID", "0x100"});
  CHECK(rq.curr_pid == 11);
  CHECK(rq.curr_comm == "second");
  CHECK(rq.runnable_task_kvas == std::vector{first.value(), second.value()});
  CHECK_FALSE(rq.runnable_truncated);
  CHECK_FALSE(snapshot.rq_scx_states[0].curr_pid.has_value());
}

TEST_CASE("user DSQs are found in every bucket and list their tasks in order, without cursors") {
  ScxGuest guest;
  guest.load_scheduler();
  guest.add_user_dsq(7, 0);
  guest.add_user_dsq(8, 5);
  const KernelVirt dsq = guest.add_user_dsq(9, 5);
  guest.set(dsq, "scx_dispatch_q", "nr", std::uint32_t{2});
  guest.set(dsq, "scx_dispatch_q", "seq", std::uint32_t{77});
  const KernelVirt first = guest.add_task(10, "first");
  const KernelVirt cursor = guest.add_task(0, "no task");
  const KernelVirt last = guest.add_task(11, "last");
  for (const KernelVirt task : {first, cursor, last}) guest.queue(dsq, task);
  guest.set(cursor, "task_struct", "scx.dsq_list.flags", std::uint32_t{1});
  const auto snapshot = snapshot_of(guest);
  std::vector<std::uint64_t> ids;
  for (const auto& state : snapshot.dsq_states)
    if (state.origin == "user") ids.push_back(state.id);
  std::ranges::sort(ids);
  CHECK(ids == std::vector<std::uint64_t>{7, 8, 9});
  const auto found = std::ranges::find(snapshot.dsq_states, dsq.value(), &DsqState::dsq_kva);
  REQUIRE(found != snapshot.dsq_states.end());
  CHECK(found->nr == 2);
  CHECK(found->seq == 77);
  CHECK(found->task_kvas == std::vector{first.value(), last.value()});
  CHECK_FALSE(found->priq_task_kvas.has_value());
}

TEST_CASE("a DSQ ordered by vtime shows its tree from left to right") {
  ScxGuest guest;
  guest.load_scheduler();
  const KernelVirt dsq = guest.add_user_dsq(7, 3);
  const KernelVirt middle = guest.add_task(10, "middle");
  const KernelVirt least = guest.add_task(11, "least");
  const KernelVirt most = guest.add_task(12, "most");
  for (const KernelVirt task : {least, middle, most}) guest.queue(dsq, task);
  guest.set_tree(dsq, {middle, least, most});
  const auto snapshot = snapshot_of(guest);
  const DsqState* state = find_dsq(snapshot, "user");
  REQUIRE(state != nullptr);
  CHECK(state->task_kvas == std::vector{least.value(), middle.value(), most.value()});
  CHECK(state->priq_task_kvas == state->task_kvas);
}

TEST_CASE("a scheduler's own DSQs are named for where they lie, and a hole in the nodes is left out") {
  ScxGuest guest;
  guest.load_scheduler();
  const auto snapshot = snapshot_of(guest);
  CHECK(find_dsq(snapshot, "bypass cpu 0") != nullptr);
  CHECK(find_dsq(snapshot, "bypass cpu 1") != nullptr);
  CHECK(find_dsq(snapshot, "global node 0") != nullptr);
  CHECK(find_dsq(snapshot, "global node 1") == nullptr);
}

TEST_CASE("damage is told and does not spread") {
  ScxGuest guest;
  const KernelVirt sched = guest.load_scheduler();
  const KernelVirt dsq = guest.add_user_dsq(7, 0);
  const KernelVirt task = guest.add_task(10, "task");
  guest.queue(dsq, task);

  SUBCASE("a queue that leads back into itself") {
    guest.set(task, "task_struct", "scx.dsq_list.node.next",
              guest.member(task, "task_struct", "scx.dsq_list.node"));
    const auto snapshot = snapshot_of(guest);
    CHECK(find_dsq(snapshot, "user")->problem == "the links form a cycle");
    CHECK(find_dsq(snapshot, "user")->task_kvas == std::vector{task.value()});
  }
  SUBCASE("a runnable list that leads astray") {
    guest.set(guest.rq(0), "rq", "scx.runnable_list.next", KernelVirt(0x1234));
    const auto snapshot = snapshot_of(guest);
    CHECK(snapshot.rq_scx_states[0].runnable_problem == "a link that is no kernel pointer");
    CHECK(snapshot.rq_scx_states.size() == 2);
  }
  SUBCASE("a table of DSQs in unmapped memory") {
    guest.set(sched, "scx_sched", "dsq_hash.tbl", KernelVirt(0xffff'c900'0000'0000));
    const auto snapshot = snapshot_of(guest);
    REQUIRE(snapshot.problems.size() == 1);
    CHECK(snapshot.problems[0] == "user DSQs: a bucket table in unmapped memory");
    CHECK(find_dsq(snapshot, "global node 0") != nullptr);
  }
  SUBCASE("a root that is no pointer") {
    guest.write(guest.symbol("scx_root"), std::uint64_t{0x1234});
    const auto snapshot = snapshot_of(guest);
    CHECK(snapshot.problems == std::vector<std::string>{"scx_root holds no kernel pointer"});
    CHECK(snapshot.scx_walker_unavailable == "scx_root holds no kernel pointer");
    CHECK(snapshot.rq_scx_states.size() == 2);
  }
}

TEST_CASE("a root scheduler that can't be read is not taken for none") {
  ScxGuest guest;
  guest.load_scheduler();
  guest.write(guest.symbol("scx_root"), KernelVirt(0xffff'c900'0000'0000));
  const auto snapshot = snapshot_of(guest);
  CHECK_FALSE(snapshot.scx_sched_state.has_value());
  CHECK(snapshot.scx_walker_unavailable == "the scx_sched can't be read");
}

TEST_CASE("reading stops where the caller says so") {
  ScxGuest guest;
  guest.load_scheduler();
  const Kernel kernel = guest.attach();
  int asked = 0;
  const auto snapshot = ScxReader::create(kernel).value().read_all(kernel, [&] { return ++asked <= 1; });
  CHECK(snapshot.scx_sched_state.has_value());
  CHECK(snapshot.rq_scx_states.size() == 1);
  CHECK(snapshot.dsq_states.empty());
}

}  // namespace ktstr::introspect::test
