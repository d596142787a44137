// Run queues of a real guest, against what that guest's /proc and debugfs say of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/kernels/kernel_store.h"
#include "introspect/runqueue/runqueue_reader.h"
#include "tests/introspect/monitor/live_guest.h"
#include "tests/skip.h"

namespace ktstr::introspect::test {
namespace {

constexpr vmm::Topology kTopology{1, 2, 2, 1};
constexpr Duration kFreezeDeadline = std::chrono::seconds(10);
constexpr std::size_t kFairCpu = 1, kRtCpu = 2;

/// "1234.567890" of the kernel's SPLIT_NS(), in ns.
std::int64_t nanoseconds(const std::string& text) {
  const auto dot = text.find('.');
  const auto whole = std::stoll(text.substr(0, dot)) * 1'000'000;
  return dot == text.npos ? whole : whole + std::stoll(text.substr(dot + 1)) * (text[0] == '-' ? -1 : 1);
}

std::string file_of(LiveGuest& guest, const std::string& path) {
  const auto file = guest.agent().ask(engine::protocol::ReadFile{path, 16U << 20});
  REQUIRE_MESSAGE(file, path);
  return file->content;
}

/// The value behind `key` in the text from `from` on.
std::int64_t value_of(const std::string& text, const std::string& key, std::size_t from = 0) {
  const auto at = text.find(key, from);
  REQUIRE_MESSAGE(at != text.npos, key);
  std::istringstream rest(text.substr(text.find(':', at) + 1));
  std::string value;
  rest >> value;
  return nanoseconds(value);
}

std::int64_t vruntime_of(LiveGuest& guest, std::int32_t tid) {
  return value_of(file_of(guest, "/proc/" + std::to_string(tid) + "/sched"), "se.vruntime");
}

/// What debugfs says of the root queue of the CPU.
std::int64_t average_of(LiveGuest& guest, std::size_t cpu) {
  const auto text = file_of(guest, "/sys/kernel/debug/sched/debug");
  const auto queue = text.find("cfs_rq[" + std::to_string(cpu) + "]:/\n");
  REQUIRE(queue != text.npos);
  return value_of(text, ".avg_vruntime", queue);
}

/// Until the worker has spun for more time than its own start takes: from then on it never sleeps.
void wait_spinning(LiveGuest& guest, std::int32_t tid) {
  constexpr std::uint64_t kSpunNs = 20'000'000;
  constexpr int kMostLooks = 10'000;
  for (int i = 0; i < kMostLooks; ++i)
    if (std::stoull(file_of(guest, "/proc/" + std::to_string(tid) + "/schedstat")) >= kSpunNs) return;
  FAIL("worker " << tid << " does not spin");
}

/// Workers that spin on the CPU and do so already.
std::vector<std::int32_t> spin(LiveGuest& guest, std::size_t cpu, std::size_t workers,
                               const std::string& comm, const engine::Policy& policy = {}) {
  engine::protocol::SpawnWorkers spawn;
  spawn.work = engine::CpuSpin{};
  spawn.affinities.assign(workers, CpuSet{cpu});
  spawn.policy = policy;
  spawn.comm = comm;
  const auto spawned = guest.agent().ask(spawn);
  REQUIRE_MESSAGE(spawned, spawned.error().message);
  for (const auto tid : spawned->tids) wait_spinning(guest, tid);
  return spawned->tids;
}

std::vector<CpuRunqueue> read_frozen(LiveGuest& guest) {
  const auto reader = RunqueueReader::create(guest.kernel());
  REQUIRE_MESSAGE(reader, reader.error().message);
  REQUIRE(guest.machine().freeze(kFreezeDeadline).has_value());
  auto queues = reader->read_all(guest.kernel());
  REQUIRE(guest.machine().thaw().has_value());
  CHECK(queues.problems == std::vector<std::string>());
  REQUIRE(queues.rows.size() == 4);
  return std::move(queues.rows);
}

/// The lags of a queue's entities, by weight, cancel each other: that is what the average is.
void check_lags(const FairQueue& queue) {
  double sum = 0, weight = 0;
  for (const auto& task : queue.tasks) {
    REQUIRE(task.vlag_ns);
    sum += static_cast<double>(*task.vlag_ns) * static_cast<double>(task.weight);
    weight += static_cast<double>(task.weight);
  }
  CHECK(std::abs(sum) <= weight);  // less than 1 ns each, which rounding takes
}

void check_fair_cpu(LiveGuest& guest) {
  const auto tids = spin(guest, kFairCpu, 3, "spinner");
  std::vector<std::int64_t> before;
  for (const auto tid : tids) before.push_back(vruntime_of(guest, tid));
  const auto average_before = average_of(guest, kFairCpu);
  const auto rq = read_frozen(guest)[kFairCpu];
  const auto average_after = average_of(guest, kFairCpu);
  CHECK(rq.problems == std::vector<std::string>());
  CHECK(rq.online == true);
  CHECK(rq.fair.nr_queued == rq.fair.tasks.size());
  for (std::size_t i = 0; i < tids.size(); ++i) {
    const auto task = std::ranges::find(rq.fair.tasks, tids[i], &FairTask::pid);
    REQUIRE(task != rq.fair.tasks.end());
    CHECK(task->comm == "spinner");
    CHECK(before[i] <= static_cast<std::int64_t>(task->vruntime_ns));
    CHECK(static_cast<std::int64_t>(task->vruntime_ns) <= vruntime_of(guest, tids[i]));
  }
  REQUIRE(rq.fair.avg_vruntime_ns);
  CHECK(average_before <= static_cast<std::int64_t>(*rq.fair.avg_vruntime_ns));
  CHECK(static_cast<std::int64_t>(*rq.fair.avg_vruntime_ns) <= average_after);
  if (std::ranges::all_of(rq.fair.tasks,
                          [&](const auto& task) { return task.cfs_rq_kva == rq.fair.tasks[0].cfs_rq_kva; }))
    check_lags(rq.fair);
}

void check_rt_cpu(LiveGuest& guest) {
  const auto waits = spin(guest, kRtCpu, 1, "waits");
  const auto runs = spin(guest, kRtCpu, 1, "realtime", engine::FifoPolicy{7});
  const auto rq = read_frozen(guest)[kRtCpu];
  CHECK(rq.rt.nr_running == rq.rt.tasks.size());
  const auto task = std::ranges::find(rq.rt.tasks, runs.at(0), &RtTask::pid);
  REQUIRE(task != rq.rt.tasks.end());
  CHECK(task->priority == 7);
  CHECK(task->comm == "realtime");
  CHECK(std::ranges::find(rq.fair.tasks, waits.at(0), &FairTask::pid) != rq.fair.tasks.end());
  CHECK(rq.deadline.nr_running == rq.deadline.tasks.size());
  CHECK(rq.nr_running >= 2);
}

void check_guest(const std::optional<std::string>& kernel) {
  auto booted = LiveGuest::boot(kTopology, kernel);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  check_fair_cpu(**booted);
  check_rt_cpu(**booted);
}

std::optional<std::string> missing(const std::optional<std::string>& kernel) {
  const auto store = engine::KernelStore::open();
  if (!store) return store.error().message;
  const auto cached = store->resolve(kernel);
  return cached ? std::nullopt : std::optional(cached.error().message);
}

}  // namespace

TEST_CASE("run queues of the default kernel are those of its debugfs") {
  if (const auto reason = missing(std::nullopt)) SKIP_TEST(*reason);
  check_guest(std::nullopt);
}

TEST_CASE("run queues of a kernel without sched_ext are those of its debugfs") {
  if (const auto reason = missing("6.12")) SKIP_TEST(*reason);
  check_guest("6.12");
}

}  // namespace ktstr::introspect::test
