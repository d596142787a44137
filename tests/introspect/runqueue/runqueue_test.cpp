#include <doctest/doctest.h>

#include "tests/introspect/runqueue/runqueue_guest.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

constexpr std::uint64_t kNice0 = 1024 * 1024;  // NICE_0_LOAD

CpuRunqueue read(const RunqueueGuest& guest, std::size_t cpu = 0) {
  const auto kernel = guest.attach();
  const auto reader = RunqueueReader::create(kernel);
  REQUIRE_MESSAGE(reader, reader.error().message);
  auto queue = reader->read(kernel, cpu);
  REQUIRE_MESSAGE(queue, queue.error().message);
  return *queue;
}

std::vector<std::int32_t> pids(const FairQueue& queue) {
  std::vector<std::int32_t> all;
  for (const auto& task : queue.tasks) all.push_back(task.pid);
  return all;
}

}  // namespace

TEST_CASE("an idle CPU has its idle task and nothing else") {
  RunqueueGuest guest;
  guest.run(1, guest.add_task(0, "swapper/1", "idle"));
  guest.set_rq(1, "nr_switches", std::uint64_t{77});
  guest.set_rq(1, "online", std::int32_t{0});
  const auto rq = read(guest, 1);
  CHECK(rq.cpu == 1);
  CHECK(rq.curr_pid == 0);
  CHECK(rq.curr_comm == "swapper/1");
  CHECK(rq.curr_class == "idle");
  CHECK(rq.nr_switches == 77);
  CHECK(rq.online == false);
  CHECK(rq.nr_ext == 0);
  CHECK(rq.fair.tasks.empty());
  CHECK(rq.problems.empty());
}

TEST_CASE("a running task and those that wait have the lag that the kernel would compute") {
  RunqueueGuest guest;
  const auto runs = guest.add_task(10, "runs");
  guest.run(0, runs);
  const auto a = guest.set_fair(guest.add_task(11, "a"), kNice0, 1'000'400, 2000);
  const auto b = guest.set_fair(guest.add_task(12, "b"), 2 * kNice0, 999'900, 3000);
  guest.fill(guest.cfs_rq(0), 1'000'000, {a, b}, guest.set_fair(runs, kNice0, 1'000'600, 1000));
  const auto rq = read(guest);
  CHECK(pids(rq.fair) == std::vector<std::int32_t>{10, 11, 12});
  CHECK(rq.fair.nr_queued == 3);
  CHECK(rq.fair.base_member == "zero_vruntime");
  CHECK(rq.fair.base_vruntime_ns == 1'000'000);
  CHECK(rq.fair.avg_vruntime_ns == 1'000'200);  // (400 - 2 * 100 + 600) / 4
  CHECK(rq.fair.tasks[0].running);
  CHECK(rq.fair.tasks[0].vlag_ns == -400);
  CHECK(rq.fair.tasks[1].vlag_ns == -200);
  CHECK(rq.fair.tasks[2].vlag_ns == 300);
  CHECK(rq.fair.tasks[2].weight == 2 * kNice0);
  CHECK(rq.fair.tasks[2].deadline_ns == 3000);
  CHECK(rq.problems.empty());
}

TEST_CASE("an older kernel's names and scaled weights give the same lag") {
  RunqueueGuest guest(RunqueueShape::old());
  const auto a = guest.set_fair(guest.add_task(11, "a"), kNice0, 500, 2000);
  const auto b = guest.set_fair(guest.add_task(12, "b"), 3 * kNice0, 100, 3000);
  guest.fill(guest.cfs_rq(0), 0, {a, b});
  const auto rq = read(guest);
  CHECK(rq.fair.base_member == "min_vruntime");
  CHECK(rq.fair.avg_vruntime_ns == 200);
  CHECK(rq.fair.tasks.at(0).vlag_ns == -300);
  CHECK(rq.fair.tasks.at(1).vlag_ns == 100);
  CHECK_FALSE(rq.nr_ext);
}

TEST_CASE("an average below the base is rounded down, as the kernel does") {
  RunqueueGuest guest;
  const auto a = guest.set_fair(guest.add_task(11, "a"), 2, 999, 2000);
  const auto b = guest.set_fair(guest.add_task(12, "b"), 1, 1000, 3000);
  guest.fill(guest.cfs_rq(0), 1000, {a, b});
  CHECK(read(guest).fair.avg_vruntime_ns == 999);  // 1000 + floor(-2 / 3)
}

TEST_CASE("tasks in groups are found, with the running group's own waiting tasks") {
  RunqueueGuest guest(RunqueueShape::old());
  const auto runs = guest.add_task(20, "runs");
  guest.run(0, runs);
  const auto inner = guest.add_cfs_rq();
  guest.fill(inner, 5000, {guest.set_fair(guest.add_task(21, "beside"), kNice0, 5200, 1)},
             guest.set_fair(runs, kNice0, 5100, 1));
  const auto other = guest.add_cfs_rq();
  guest.fill(other, 0, {guest.set_fair(guest.add_task(22, "elsewhere"), kNice0, 0, 1)});
  guest.fill(guest.cfs_rq(0), 100, {guest.add_group(kNice0, 100, other)},
             guest.add_group(kNice0, 300, inner));
  const auto rq = read(guest);
  CHECK(pids(rq.fair) == std::vector<std::int32_t>{20, 21, 22});
  CHECK(rq.fair.tasks[1].vlag_ns == -50);  // of its own queue, whose average is 5150
  CHECK(rq.fair.tasks[1].cfs_rq_kva == inner.value());
  CHECK(rq.fair.avg_vruntime_ns == 200);
}

TEST_CASE("a queue that was being changed has no average and no lag") {
  RunqueueGuest guest;
  guest.fill(guest.cfs_rq(0), 0, {guest.set_fair(guest.add_task(11, "a"), kNice0, 500, 2000)});
  guest.set_queue(guest.cfs_rq(0), "sum_weight", 2 * kNice0);
  const auto rq = read(guest);
  CHECK_FALSE(rq.fair.avg_vruntime_ns);
  CHECK_FALSE(rq.fair.tasks.at(0).vlag_ns);
  CHECK(rq.problems ==
        std::vector<std::string>{"cfs: the queue's sums are not those of its tree: it is being changed"});
}

TEST_CASE("a running task that is going to sleep is queued no more") {
  RunqueueGuest guest;
  const auto runs = guest.add_task(10, "runs");
  guest.run(0, runs);
  const auto entity = guest.set_fair(runs, kNice0, 900, 1000);
  guest.set(entity, "sched_entity", "on_rq", std::uint8_t{0});
  guest.fill(guest.cfs_rq(0), 0, {guest.set_fair(guest.add_task(11, "a"), kNice0, 500, 2000)}, entity);
  const auto rq = read(guest);
  CHECK(pids(rq.fair) == std::vector<std::int32_t>{11});
  CHECK(rq.fair.avg_vruntime_ns == 500);
}

TEST_CASE("real-time tasks come by priority") {
  RunqueueGuest guest;
  const auto high = guest.add_task(30, "high", "rt");
  guest.add_rt(0, guest.add_task(31, "low", "rt"), 1);
  guest.add_rt(0, high, 99);
  guest.add_rt(0, guest.add_task(32, "low2", "rt"), 1);
  guest.run(0, high);
  const auto rq = read(guest);
  CHECK(rq.curr_class == "rt");
  CHECK(rq.rt.nr_running == 3);
  REQUIRE(rq.rt.tasks.size() == 3);
  CHECK(rq.rt.tasks[0].pid == 30);
  CHECK(rq.rt.tasks[0].priority == 99);
  CHECK(rq.rt.tasks[0].running);
  CHECK(rq.rt.tasks[1].pid == 31);
  CHECK(rq.rt.tasks[2].pid == 32);
  CHECK(rq.rt.tasks[2].priority == 1);
  CHECK_FALSE(rq.rt.tasks[2].running);
}

TEST_CASE("deadline tasks come with their servers") {
  RunqueueGuest guest;
  const auto task = guest.add_task(40, "camera", "dl");
  const auto entity = guest.deadline_entity(task);
  guest.set(entity, "sched_dl_entity", "deadline", std::uint64_t{5000});
  guest.set(entity, "sched_dl_entity", "runtime", std::int64_t{-7});
  guest.set(entity, "sched_dl_entity", "dl_period", std::uint64_t{9000});
  guest.set_deadline_tree(0, {entity, guest.rq(0) + guest.offset("rq", "fair_server")});
  const auto rq = read(guest);
  CHECK(rq.deadline.nr_running == 2);
  REQUIRE(rq.deadline.tasks.size() == 2);
  CHECK(rq.deadline.tasks[0].pid == 40);
  CHECK(rq.deadline.tasks[0].deadline_ns == 5000);
  CHECK(rq.deadline.tasks[0].runtime_left_ns == -7);
  CHECK(rq.deadline.tasks[0].period_ns == 9000);
  CHECK_FALSE(rq.deadline.tasks[1].pid);
  CHECK(rq.deadline.tasks[1].comm == "fair_server");
}

TEST_CASE("a group that holds itself, and pointers into nowhere, end with a sentence") {
  RunqueueGuest guest;
  const auto loop = guest.add_cfs_rq();
  guest.fill(loop, 0, {guest.add_group(kNice0, 0, loop)});
  guest.fill(guest.cfs_rq(0), 0, {guest.add_group(kNice0, 0, loop)});
  CHECK(read(guest).problems == std::vector<std::string>{"cfs: groups are nested too deeply"});
  guest.set_queue(guest.cfs_rq(1), "curr", 0x1234);
  guest.run(1, KernelVirt(0xffff'8880'dead'0000));
  const auto rq = read(guest, 1);
  CHECK_FALSE(rq.curr_pid);
  CHECK(rq.problems == std::vector<std::string>{"cfs: a sched_entity can't be read"});
}

TEST_CASE("all possible CPUs are read, for as long as there is time") {
  const RunqueueGuest guest({}, 3);
  const auto kernel = guest.attach();
  const auto reader = RunqueueReader::create(kernel).value();
  CHECK(reader.read_all(kernel).rows.size() == 3);
  int left = 2;
  const auto some = reader.read_all(kernel, [&] { return left-- > 0; });
  CHECK(some.rows.size() == 2);
  CHECK(some.problems == std::vector<std::string>{"run queues from cpu2 on were not read: the time was up"});
}
