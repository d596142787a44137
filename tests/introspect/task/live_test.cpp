// All tasks of a real guest, against what that guest's /proc says of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "engine/kernels/kernel_store.h"
#include "introspect/task/task_reader.h"
#include "tests/introspect/monitor/live_guest.h"
#include "tests/skip.h"

namespace ktstr::introspect::test {
namespace {

constexpr vmm::Topology kTopology{1, 2, 2, 1};
constexpr Duration kFreezeDeadline = std::chrono::seconds(10);

/// One task's /proc/PID/stat and status.
struct ProcTask {
  std::string comm;
  std::vector<std::string> stat;  ///< proc_pid_stat(5), from field 3 on
  std::map<std::string, std::string> status;

  [[nodiscard]] long number(std::size_t field) const { return std::stol(stat.at(field - 3)); }
  [[nodiscard]] std::uint64_t counter(const std::string& name) const { return std::stoull(status.at(name)); }
};

std::optional<ProcTask> read_proc(LiveGuest& guest, std::int32_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const auto stat = guest.agent().ask(engine::protocol::ReadFile{folder + "/stat"});
  const auto status = guest.agent().ask(engine::protocol::ReadFile{folder + "/status"});
  if (!stat || !status) return std::nullopt;  // it has ended
  ProcTask task;
  const auto open = stat->content.find('('), close = stat->content.rfind(')');
  task.comm = stat->content.substr(open + 1, close - open - 1);
  std::istringstream fields(stat->content.substr(close + 1));
  for (std::string field; fields >> field;) task.stat.push_back(field);
  std::istringstream lines(status->content);
  for (std::string line; std::getline(lines, line);)
    if (const auto colon = line.find(":\t"); colon != std::string::npos)
      task.status[line.substr(0, colon)] = line.substr(colon + 2);
  return task;
}

struct Memory {
  TaskList list;
  std::vector<TaskEnrichment> tasks;
};

Memory read_memory(LiveGuest& guest) {
  REQUIRE(guest.machine().freeze(kFreezeDeadline).has_value());
  const auto reader = TaskReader::create(guest.kernel()).value();
  Memory memory;
  memory.list = list_tasks(guest.kernel(), reader.list_layout()).value();
  memory.tasks = reader.read_all(guest.kernel(), task_entries(memory.list.tasks, {}, {})).tasks;
  REQUIRE(guest.machine().thaw().has_value());
  return memory;
}

void check_unchanging(const TaskEnrichment& task, const ProcTask& proc) {
  // /proc completes the names of kernel threads from elsewhere.
  const bool kernel_thread = proc.number(9) & 0x200000;
  CHECK((kernel_thread ? proc.comm.substr(0, task.comm.size()) : proc.comm) == task.comm);
  CHECK(task.ppid == proc.number(4));
  CHECK(task.pgid == proc.number(5));
  CHECK(task.sid == proc.number(6));
  CHECK(task.prio - 100 == proc.number(18));
  CHECK(task.nice == proc.number(19));
  CHECK(task.nr_threads == proc.number(20));
  CHECK(task.rt_priority == proc.number(40));
  CHECK(task.policy == proc.number(41));
  CHECK(std::to_string(task.tgid) == proc.status.at("Tgid"));
  if (!kernel_thread) CHECK(task.cpus_allowed == proc.status.at("Cpus_allowed_list"));
}

/// Counters that the task had in between; a task that did not run in the meantime is in the state it was in,
/// and may run where it might: a workqueue's rescuer goes to the CPU that it helps out on.
void check_changing(const TaskEnrichment& task, const ProcTask& before, const ProcTask& after) {
  const auto switches = [](const ProcTask& proc) {
    return std::pair(proc.counter("voluntary_ctxt_switches"), proc.counter("nonvoluntary_ctxt_switches"));
  };
  const auto [least_voluntary, least_forced] = switches(before);
  const auto [most_voluntary, most_forced] = switches(after);
  CHECK(least_voluntary <= task.nvcsw);
  CHECK(task.nvcsw <= most_voluntary);
  CHECK(least_forced <= task.nivcsw);
  CHECK(task.nivcsw <= most_forced);
  if (switches(before) != switches(after) || before.stat[0] != after.stat[0]) return;
  CHECK(task.state == before.stat[0]);
  CHECK(task.cpus_allowed == after.status.at("Cpus_allowed_list"));
}

void check_guest(const std::optional<std::string>& kernel) {
  auto booted = LiveGuest::boot(kTopology, kernel);
  REQUIRE_MESSAGE(booted.has_value(), booted.error().message);
  auto& guest = **booted;
  engine::protocol::SpawnWorkers spawn;
  spawn.work = engine::CpuSpin{};
  spawn.affinities.assign(3, CpuSet{1});
  spawn.nice = 5;
  spawn.comm = "a nice spinner";
  REQUIRE(guest.agent().ask(spawn).has_value());

  std::map<std::int32_t, ProcTask> before;
  for (const auto& task : read_memory(guest).tasks)
    if (auto proc = read_proc(guest, task.pid)) before.emplace(task.pid, std::move(*proc));
  const auto threads = [&] {  // "0.1 0.2 0.3 1/87 123": running and all threads
    const auto text = guest.agent().ask(engine::protocol::ReadFile{"/proc/loadavg"}).value().content;
    return std::stoul(text.substr(text.find('/') + 1));
  };
  const auto threads_before = threads();
  const Memory memory = read_memory(guest);
  const auto threads_after = threads();

  CHECK(memory.list.problems == std::vector<std::string>());
  CHECK_FALSE(memory.list.truncated);
  CHECK(memory.tasks.size() == memory.list.tasks.size());
  CHECK(memory.tasks.size() >= std::min(threads_before, threads_after));
  CHECK(memory.tasks.size() <= std::max(threads_before, threads_after));
  std::size_t compared = 0;
  for (const auto& task : memory.tasks) {
    const auto known = before.find(task.pid);
    const auto after = read_proc(guest, task.pid);
    if (known == before.end() || !after) continue;
    CAPTURE(task.pid);
    CAPTURE(task.comm);
    check_unchanging(task, *after);
    check_changing(task, known->second, *after);
    ++compared;
  }
  CHECK(compared >= memory.tasks.size() - 4);
  CHECK(std::ranges::count(memory.tasks, std::string("a nice spinner"), &TaskEnrichment::comm) == 3);
  for (const auto& task : memory.tasks)
    if (task.comm == "a nice spinner") CHECK(task.on_rq == true);  // running or waiting, never asleep
}

std::optional<std::string> missing(const std::optional<std::string>& kernel) {
  const auto store = engine::KernelStore::open();
  if (!store) return store.error().message;
  const auto cached = store->resolve(kernel);
  return cached ? std::nullopt : std::optional(cached.error().message);
}

}  // namespace

TEST_CASE("all tasks of the default kernel are those of its /proc") {
  if (const auto reason = missing(std::nullopt)) SKIP_TEST(*reason);
  check_guest(std::nullopt);
}

TEST_CASE("all tasks of an older kernel are those of its /proc") {
  if (const auto reason = missing("6.18")) SKIP_TEST(*reason);
  check_guest("6.18");
}

}  // namespace ktstr::introspect::test
