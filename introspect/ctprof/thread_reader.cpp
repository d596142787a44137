#include "introspect/ctprof/thread_reader.h"

#include <fmt/format.h>
#include <sched.h>

#include <array>
#include <climits>

#include "engine/base/cpu_set.h"
#include "introspect/ctprof/parse/task_files.h"
#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

/// "PID/task/TID".
class TaskPath {
 public:
  explicit TaskPath(const ThreadId& id) {
    *fmt::format_to_n(path_.data(), path_.size() - 1, "{}/task/{}", id.tgid, id.tid).out = '\0';
  }
  [[nodiscard]] const char* get() const { return path_.data(); }

 private:
  std::array<char, 40> path_{};
};

/// A thread that ended while its files were read has neither name nor beginning.
bool is_ghost(const ThreadRecord& record) {
  return (!record.comm || record.comm->empty()) && record.start_time_clock_ticks.value_or(0) == 0;
}

constexpr std::size_t kWordBits = sizeof(unsigned long) * CHAR_BIT;
using Mask = std::array<unsigned long, CpuSet::kCapacity / kWordBits>;

bool contains(const Mask& mask, std::size_t cpu) {
  return cpu < CpuSet::kCapacity && (mask[cpu / kWordBits] >> (cpu % kWordBits) & 1) != 0;
}

/// "0-3,8", without a set on the way: there is one for every thread.
std::string to_list(const Mask& mask, std::size_t cpus) {
  std::string list;
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    if (!contains(mask, cpu)) continue;
    const auto first = cpu;
    while (contains(mask, cpu + 1)) ++cpu;
    if (!list.empty()) list += ',';
    list += std::to_string(first);
    if (cpu > first) list.append("-").append(std::to_string(cpu));
  }
  return list;
}

/// sched_getaffinity(2): those of its CPUs that are online. Absent when the thread is gone or the call
/// refused.
std::optional<CpuAffinity> read_affinity(std::int32_t tid) {
  Mask mask{};
  if (::sched_getaffinity(tid, sizeof(mask), reinterpret_cast<cpu_set_t*>(mask.data())) != 0)
    return std::nullopt;
  std::size_t used = mask.size();
  while (used > 0 && mask[used - 1] == 0) --used;
  return CpuAffinity{to_list(mask, used * kWordBits)};
}

}  // namespace

ThreadReader::ThreadReader(int proc, bool live, const TaskstatsGates& gates)
    : proc_(proc), live_(live), gates_(gates) {
  if (!live) return;
  auto client = TaskstatsClient::open();
  taskstats_summary_.emplace();
  if (client)
    taskstats_ = std::move(*client);
  else
    taskstats_summary_->unavailable = client.error().message;
}

std::optional<std::string_view> ThreadReader::text(const Fd& task, const char* name) {
  auto content = files_.read_record(task.get(), name);
  if (!content) tally_.failed(name, files_.error());
  return content;
}

void ThreadReader::read_files(const Fd& task, ThreadRecord& record) {
  const bool first_of_process = record.tid == record.tgid;
  StatFacts facts;
  if (const auto comm = text(task, "comm")) record.comm = parse_comm(*comm);
  if (const auto stat = text(task, "stat")) facts = parse_stat(*stat, record);
  if (const auto schedstat = text(task, "schedstat")) parse_schedstat(*schedstat, record);
  if (const auto status = text(task, "status")) parse_status(*status, record);
  if (const auto io = text(task, "io")) parse_io(*io, record);
  if (const auto sched = text(task, "sched")) tally_.negative(parse_sched(*sched, record));
  if (const auto cgroup = text(task, "cgroup")) record.cgroup = parse_cgroup_path(*cgroup);
  if (!first_of_process) record.nr_threads.reset();
  // The kernel's own threads have no memory to tell of: reading it is an error.
  if (first_of_process && !facts.kernel_thread.value_or(false))
    if (const auto rollup = text(task, "smaps_rollup")) record.smaps_rollup_kib = parse_smaps_rollup(*rollup);
}

std::optional<ThreadRecord> ThreadReader::read(const ThreadId& id) {
  tally_.walked();
  const Fd task = open_directory(proc_, TaskPath(id).get());
  if (!task) return std::nullopt;
  ThreadRecord record;
  record.tgid = static_cast<std::uint32_t>(id.tgid);
  record.tid = static_cast<std::uint32_t>(id.tid);
  record.pcomm = *id.pcomm;
  read_files(task, record);
  if (is_ghost(record)) {
    tally_.discard();
    return std::nullopt;
  }
  tally_.commit();
  if (live_)
    if (auto affinity = read_affinity(id.tid)) record.cpu_affinity = std::move(affinity);
  if (taskstats_) taskstats_->query(gates_, record, *taskstats_summary_);
  return record;
}

}  // namespace ktstr::introspect::ctprof
