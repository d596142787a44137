// What the runner asks of the guest agent, and what it answers. Payloads are the JSON of these structs (see
// frame.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/units.h"
#include "engine/protocol/bpf_map_messages.h"
#include "engine/protocol/ctprof_messages.h"
#include "engine/protocol/error_code.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/latency_histogram.h"
#include "engine/protocol/machine_messages.h"
#include "engine/protocol/refresh_message.h"
#include "engine/protocol/scheduler_messages.h"
#include "engine/protocol/statistics_messages.h"
#include "engine/scenario/placement.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::protocol {

// ---- requests
// -------------------------------------------------------------------------------------------------------

/// Makes a cgroup below the agent's root, with its controllers. Absent limits are left at the kernel's
/// default.
struct AddCgroup {
  std::string cgroup;
  std::optional<CpuSet> cpus;
  std::optional<std::uint32_t> cpu_weight;
  std::optional<double> cpu_quota;  ///< CPUs
  std::optional<ByteSize> memory_max;
  std::optional<std::uint32_t> pids_max;
};
/// Stops the workers of the cgroup and of those below it, then removes them all, the deepest first. Answered
/// by Stopped.
struct RemoveCgroup {
  std::string cgroup;
};
/// Absent cpus: clears the cpuset (the cgroup inherits its parent's).
struct SetCpuset {
  std::string cgroup;
  std::optional<CpuSet> cpus;
};
/// Starts `affinities.size()` workers: all are forked and placed first, then released together.
/// An absent cgroup means the agent's own. An empty affinity leaves the worker with what its cgroup allows.
struct SpawnWorkers {
  std::optional<std::string> cgroup;
  Work work;
  std::vector<CpuSet> affinities;
  Policy policy;
  std::int32_t nice = 0;
  std::string comm;
};
/// Stops workers (SIGUSR1, one shared 5 s deadline, then SIGKILL) and answers their reports, those of workers
/// that ended by themselves included. Absent cgroup: all workers everywhere. A frozen cgroup is thawed first:
/// its tasks can't stop.
struct StopWorkers {
  std::optional<std::string> cgroup;
};
/// One set for each worker of the cgroup, in order of spawning; an empty set means all CPUs.
struct SetAffinity {
  std::string cgroup;
  std::vector<CpuSet> affinities;
};
/// Moves every task of `from`. Absent names mean the agent's own cgroup; from there only workers are moved.
struct MoveTasks {
  std::optional<std::string> from;
  std::optional<std::string> to;
};
struct FreezeCgroup {
  std::string cgroup;
  bool frozen = true;
};
/// Reads a file of the guest (tests: /proc, /sys), at most `limit` bytes.
struct ReadFile {
  std::string path;
  std::uint32_t limit = 1 << 20;
};
/// Removes every cgroup and worker, then powers the guest off (as PID 1) or leaves (on a bare host).
struct Shutdown {};

using Request = std::variant<AddCgroup, RemoveCgroup, SetCpuset, SpawnWorkers, StopWorkers, SetAffinity,
                             MoveTasks, FreezeCgroup, ReadFile, Shutdown, AttachScheduler, DetachScheduler,
                             ReplaceScheduler, RestartScheduler, QueryScheduler, PinBpfMap, Refresh,
                             CaptureThreads, ReadCapture, FindTopology, SetStatistics>;

/// What a frame from the runner holds. The reply carries the same id.
struct RequestMessage {
  std::uint64_t id = 0;  ///< from 1, ascending
  Request request;
};

// ---- replies
// --------------------------------------------------------------------------------------------------------

/// First message of the agent, unasked.
struct Hello {
  std::uint32_t version = kVersion;
  std::string kernel_release;
  std::uint32_t cpus = 0;
  std::uint64_t monotonic_ns = 0;  ///< the guest's CLOCK_MONOTONIC when sent
  std::uint64_t boot_ns = 0;       ///< CLOCK_BOOTTIME when the agent's main() began
};

/// How many CPUs after migrations a worker keeps, and how many one Stopped holds over all its workers: above
/// it each worker reports fewer of them, so that a reply stays small beside kMaxPayload.
inline constexpr std::size_t kMaxMigrationCpus = 1000;
inline constexpr std::size_t kMaxMigrationCpusPerReply = 1'000'000;
/// How many wake latencies a report lists: fewer than that only when there were fewer.
inline constexpr std::size_t kListedWakeLatencies = 1000;

/// What one worker did between its release and its stop. Times in ns of the guest's clock. A worker that
/// crashed or was killed has what it had counted up to then.
struct WorkerReport {
  std::int32_t tid = 0;
  std::optional<std::string> cgroup;
  std::string work;  ///< the work type's name
  std::uint64_t work_units =
      0;  ///< the smallest things a type does: loop turns, touches, bytes passed (see guest/works/)
  std::uint64_t iterations = 0;  ///< rounds of the type's loop
  std::uint64_t cpu_ns = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t off_cpu_ns = 0;
  bool completed = false;  ///< it ended its loop and reported by itself
  std::uint64_t migrations = 0;
  std::vector<std::uint32_t> migration_cpus;  ///< the CPU after each migration, the first kMaxMigrationCpus
  CpuSet cpus_used;
  std::uint64_t longest_gap_ns =
      0;  ///< longest time from when the worker could run to its next sign of progress
  std::uint32_t longest_gap_cpu = 0;
  std::uint64_t longest_gap_at_ns = 0;  ///< since the worker's release
  std::optional<std::uint64_t> schedstat_run_delay_ns;
  std::optional<std::uint64_t> schedstat_run_count;
  std::optional<std::uint64_t> schedstat_cpu_time_ns;
  /// Evenly spread by rank, ascending; listed by the runner from wake_histogram (list_wake_latencies()).
  std::vector<std::uint64_t> wake_latencies_ns;
  std::uint64_t wake_latencies_total = 0;  ///< how many there were
  ExitInfo exit;
  std::optional<std::string>
      failure;                     ///< why it ended before its stop: a system call's error, the OOM killer
  std::string role;                ///< its part in its group; empty where all members do the same
  std::vector<CpuSet> affinities;  ///< what it asked for, in order; an empty set: what its cpuset allows
  CpuSet stray_cpus;               ///< CPUs it was seen on while its cpuset did not hold them
  LatencyHistogram wake_histogram;
  std::optional<std::uint64_t> wake_latency_max_ns;
};

/// Tids of the started workers, in order.
struct Spawned {
  std::vector<std::int32_t> tids;
};
struct Stopped {
  std::vector<WorkerReport> reports;
};
/// `content` holds at most the limit asked for; `truncated` tells that there was more.
struct FileContent {
  std::string content;
  bool truncated = false;
};
struct Done {};
/// The request failed; nothing of it is left half done unless the message says so.
struct Failed {
  ErrorCode code = ErrorCode::kIo;
  std::string message;
};

using Reply = std::variant<Hello, Spawned, Stopped, FileContent, Done, Failed, SchedulerChanged, Captured,
                           CapturePart, FoundTopology, StatisticsSwitches>;

/// What a frame from the agent holds. Id 0: not the answer to a request that could be read (Hello, or Failed
/// for garbage).
struct ReplyMessage {
  std::uint64_t id = 0;
  Reply reply;
};

}  // namespace ktstr::engine::protocol

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::protocol::AddCgroup> = record<engine::protocol::AddCgroup>("add_cgroup", "makes a cgroup with its limits",
    field("cgroup", &engine::protocol::AddCgroup::cgroup, "name below the agent's root"),
    field("cpus", &engine::protocol::AddCgroup::cpus, "cpuset.cpus; absent: as the parent"),
    field("cpu_weight", &engine::protocol::AddCgroup::cpu_weight, "cpu.weight, 1 to 10000"),
    field("cpu_quota", &engine::protocol::AddCgroup::cpu_quota, "cpu.max as a number of CPUs"),
    field("memory_max", &engine::protocol::AddCgroup::memory_max, "memory.max"),
    field("pids_max", &engine::protocol::AddCgroup::pids_max, "pids.max, tasks"));
template <> inline constexpr auto describe<engine::protocol::RemoveCgroup> = record<engine::protocol::RemoveCgroup>("remove_cgroup", "stops a cgroup's workers and removes it",
    field("cgroup", &engine::protocol::RemoveCgroup::cgroup, "name below the agent's root"));
template <> inline constexpr auto describe<engine::protocol::SetCpuset> = record<engine::protocol::SetCpuset>("set_cpuset", "changes or clears a cgroup's cpuset",
    field("cgroup", &engine::protocol::SetCpuset::cgroup, "name below the agent's root"),
    field("cpus", &engine::protocol::SetCpuset::cpus, "cpuset.cpus; absent: as the parent"));
template <> inline constexpr auto describe<engine::protocol::SpawnWorkers> = record<engine::protocol::SpawnWorkers>("spawn_workers", "starts workers of one kind",
    field("cgroup", &engine::protocol::SpawnWorkers::cgroup, "where they run; absent: the agent's own"),
    field("work", &engine::protocol::SpawnWorkers::work, "what they do"),
    field("affinities", &engine::protocol::SpawnWorkers::affinities, "one CPU set for each worker; empty: what its cgroup allows"),
    field("policy", &engine::protocol::SpawnWorkers::policy, "scheduling policy"),
    field("nice", &engine::protocol::SpawnWorkers::nice, "nice value, -20 to 19"),
    field("comm", &engine::protocol::SpawnWorkers::comm, "task name; empty: the work type's"));
template <> inline constexpr auto describe<engine::protocol::StopWorkers> = record<engine::protocol::StopWorkers>("stop_workers", "stops workers and asks for their reports",
    field("cgroup", &engine::protocol::StopWorkers::cgroup, "whose workers; absent: all"));
template <> inline constexpr auto describe<engine::protocol::SetAffinity> = record<engine::protocol::SetAffinity>("set_affinity", "changes the affinity of a cgroup's workers",
    field("cgroup", &engine::protocol::SetAffinity::cgroup, "name below the agent's root"),
    field("affinities", &engine::protocol::SetAffinity::affinities, "one CPU set for each worker, in order of spawning; empty: all CPUs"));
template <> inline constexpr auto describe<engine::protocol::MoveTasks> = record<engine::protocol::MoveTasks>("move_tasks", "moves all tasks of one cgroup to another",
    field("from", &engine::protocol::MoveTasks::from, "absent: the agent's own"),
    field("to", &engine::protocol::MoveTasks::to, "absent: the agent's own"));
template <> inline constexpr auto describe<engine::protocol::FreezeCgroup> = record<engine::protocol::FreezeCgroup>("freeze_cgroup", "freezes or thaws a cgroup and waits until it is",
    field("cgroup", &engine::protocol::FreezeCgroup::cgroup, "name below the agent's root"),
    field("frozen", &engine::protocol::FreezeCgroup::frozen, "true to freeze, false to thaw"));
template <> inline constexpr auto describe<engine::protocol::ReadFile> = record<engine::protocol::ReadFile>("read_file", "reads a file of the guest",
    field("path", &engine::protocol::ReadFile::path, "absolute path"),
    field("limit", &engine::protocol::ReadFile::limit, "most bytes to answer"));
template <> inline constexpr auto describe<engine::protocol::Shutdown> = record<engine::protocol::Shutdown>("shutdown", "removes everything and ends the agent");
template <> inline constexpr auto describe<engine::protocol::RequestMessage> = record<engine::protocol::RequestMessage>("request", "a request and its number",
    field("id", &engine::protocol::RequestMessage::id, "number of the request, from 1"),
    field("request", &engine::protocol::RequestMessage::request, "what is asked"));
template <> inline constexpr auto describe<engine::protocol::Hello> = record<engine::protocol::Hello>("hello", "the agent is ready",
    field("version", &engine::protocol::Hello::version, "protocol version"),
    field("kernel_release", &engine::protocol::Hello::kernel_release, "uname -r"),
    field("cpus", &engine::protocol::Hello::cpus, "online CPUs"),
    field("monotonic_ns", &engine::protocol::Hello::monotonic_ns, "CLOCK_MONOTONIC when sent, ns"),
    field("boot_ns", &engine::protocol::Hello::boot_ns, "CLOCK_BOOTTIME when the agent began, ns"));
template <> inline constexpr auto describe<engine::protocol::WorkerReport> = record<engine::protocol::WorkerReport>("worker report", "what one worker did between its release and its stop",
    field("tid", &engine::protocol::WorkerReport::tid, "thread id"),
    field("cgroup", &engine::protocol::WorkerReport::cgroup, "its cgroup at the end; absent: the agent's own"),
    field("work", &engine::protocol::WorkerReport::work, "the work type's name"),
    field("work_units", &engine::protocol::WorkerReport::work_units, "work units done"),
    field("iterations", &engine::protocol::WorkerReport::iterations, "rounds of the work loop"),
    field("cpu_ns", &engine::protocol::WorkerReport::cpu_ns, "CPU time, ns"),
    field("wall_ns", &engine::protocol::WorkerReport::wall_ns, "time from release to end, ns"),
    field("off_cpu_ns", &engine::protocol::WorkerReport::off_cpu_ns, "wall_ns - cpu_ns, ns"),
    field("completed", &engine::protocol::WorkerReport::completed, "whether it ended its loop and reported by itself"),
    field("migrations", &engine::protocol::WorkerReport::migrations, "changes of CPU seen between iterations"),
    field("migration_cpus", &engine::protocol::WorkerReport::migration_cpus, "the CPU after each migration, the first 1000"),
    field("cpus_used", &engine::protocol::WorkerReport::cpus_used, "CPUs seen between iterations"),
    field("longest_gap_ns", &engine::protocol::WorkerReport::longest_gap_ns, "longest time without progress while not asleep by choice, ns"),
    field("longest_gap_cpu", &engine::protocol::WorkerReport::longest_gap_cpu, "CPU at the end of that gap"),
    field("longest_gap_at_ns", &engine::protocol::WorkerReport::longest_gap_at_ns, "end of that gap, ns since release"),
    field("schedstat_run_delay_ns", &engine::protocol::WorkerReport::schedstat_run_delay_ns, "time runnable but not running, ns"),
    field("schedstat_run_count", &engine::protocol::WorkerReport::schedstat_run_count, "times it was put on a CPU"),
    field("schedstat_cpu_time_ns", &engine::protocol::WorkerReport::schedstat_cpu_time_ns, "CPU time by the scheduler's account, ns"),
    field("wake_latencies_ns", &engine::protocol::WorkerReport::wake_latencies_ns, "times from a due or posted wake-up to running, at most 1000 of them, evenly spread by rank, ascending; each at most 1/32 too great, ns"),
    field("wake_latencies_total", &engine::protocol::WorkerReport::wake_latencies_total, "how many wake-ups there were"),
    field("exit", &engine::protocol::WorkerReport::exit, "how it ended"),
    field("failure", &engine::protocol::WorkerReport::failure, "why it ended before its stop, e.g. \"fork: Resource temporarily unavailable (pids.max 4)\""),
    field("role", &engine::protocol::WorkerReport::role, "its part in its group, e.g. \"messenger\" or \"receiver\"; empty where all members do the same"),
    field("affinities", &engine::protocol::WorkerReport::affinities, "the CPUs it asked for, in order of the changes; an empty set: what its cpuset allows"),
    field("stray_cpus", &engine::protocol::WorkerReport::stray_cpus, "CPUs it was seen on while its cpuset did not hold them"),
    field("wake_histogram", &engine::protocol::WorkerReport::wake_histogram, "the times from a due or posted wake-up to running"),
    field("wake_latency_max_ns", &engine::protocol::WorkerReport::wake_latency_max_ns, "the longest of them, exact, ns"));
template <> inline constexpr auto describe<engine::protocol::Spawned> = record<engine::protocol::Spawned>("spawned", "workers run",
    field("tids", &engine::protocol::Spawned::tids, "their thread ids, in order"));
template <> inline constexpr auto describe<engine::protocol::Stopped> = record<engine::protocol::Stopped>("stopped", "workers ended",
    field("reports", &engine::protocol::Stopped::reports, "one for each, in order of spawning"));
template <> inline constexpr auto describe<engine::protocol::FileContent> = record<engine::protocol::FileContent>("file_content", "a file's bytes",
    field("content", &engine::protocol::FileContent::content, "at most the limit asked for; bytes that are no UTF-8 are replaced by '?'"),
    field("truncated", &engine::protocol::FileContent::truncated, "whether there was more"));
template <> inline constexpr auto describe<engine::protocol::Done> = record<engine::protocol::Done>("done", "the request was carried out");
template <> inline constexpr auto describe<engine::protocol::Failed> = record<engine::protocol::Failed>("failed", "the request was not carried out",
    field("code", &engine::protocol::Failed::code, "what kind of failure"),
    field("message", &engine::protocol::Failed::message, "why"));
template <> inline constexpr auto describe<engine::protocol::ReplyMessage> = record<engine::protocol::ReplyMessage>("reply", "an answer and the number of its request",
    field("id", &engine::protocol::ReplyMessage::id, "number of the request; 0: none"),
    field("reply", &engine::protocol::ReplyMessage::reply, "the answer"));
// clang-format on
}  // namespace ktstr
