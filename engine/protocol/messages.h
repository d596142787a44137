// What the runner asks of the guest agent, and what it answers. Payloads are the JSON of these structs (see
// frame.h).
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/protocol/frame.h"
#include "engine/protocol/latency_histogram.h"
#include "engine/protocol/machine_messages.h"
#include "engine/protocol/scheduler_messages.h"
#include "engine/scenario/placement.h"
#include "engine/scenario/work.h"

namespace ktstr {

/// By name, so that an error keeps its kind on its way over the channel.
template <>
inline constexpr auto describe<ErrorCode> =
    enumeration<ErrorCode>("error code", {{"invalid argument", ErrorCode::kInvalidArgument},
                                          {"not found", ErrorCode::kNotFound},
                                          {"unavailable", ErrorCode::kUnavailable},
                                          {"corrupt", ErrorCode::kCorrupt},
                                          {"out of range", ErrorCode::kOutOfRange},
                                          {"io", ErrorCode::kIo},
                                          {"timeout", ErrorCode::kTimeout},
                                          {"cancelled", ErrorCode::kCancelled},
                                          {"guest failed", ErrorCode::kGuestFailed},
                                          {"emulator failed", ErrorCode::kEmulatorFailed}});

}  // namespace ktstr

namespace ktstr::engine::protocol {

struct Stopped;

/// Makes a cgroup below the agent's root, with its controllers. Absent limits are left at the kernel's
/// default.
struct AddCgroup {
  using Answer = Done;

  std::string cgroup;
  std::optional<CpuSet> cpus{};
  std::optional<std::uint32_t> cpu_weight{};
  std::optional<double> cpu_quota{};
  std::optional<ByteSize> memory_max{}, memory_high{};
  std::optional<std::uint32_t> pids_max{};

  static consteval auto describe() {
    using T = AddCgroup;
    return record("add_cgroup", "makes a cgroup with its limits",
                  field<&T::cgroup>("name below the agent's root"),
                  field<&T::cpus>("cpuset.cpus; absent: as the parent"),
                  field<&T::cpu_weight>("cpu.weight, 1 to 10000"),
                  field<&T::cpu_quota>("cpu.max as a number of CPUs"), field<&T::memory_max>("memory.max"),
                  field<&T::memory_high>("memory.high"), field<&T::pids_max>("pids.max, tasks"));
  }
};
/// Stops the workers of the cgroup and of those below it, then removes them all, the deepest first.
struct RemoveCgroup {
  using Answer = Stopped;

  std::string cgroup;

  static consteval auto describe() {
    return record("remove_cgroup", "stops a cgroup's workers and removes it",
                  field<&RemoveCgroup::cgroup>("name below the agent's root"));
  }
};
/// Absent cpus: clears the cpuset (the cgroup inherits its parent's).
struct SetCpuset {
  using Answer = Done;

  std::string cgroup;
  std::optional<CpuSet> cpus;

  static consteval auto describe() {
    using T = SetCpuset;
    return record("set_cpuset", "changes or clears a cgroup's cpuset",
                  field<&T::cgroup>("name below the agent's root"),
                  field<&T::cpus>("cpuset.cpus; absent: as the parent"));
  }
};
struct Spawned {
  std::vector<std::int32_t> tids;

  static consteval auto describe() {
    return record("spawned", "workers run", field<&Spawned::tids>("their thread ids, in order"));
  }
};
/// Starts `affinities.size()` workers: all are forked and placed first, then released together.
/// An absent cgroup means the agent's own. An empty affinity leaves the worker with what its cgroup allows.
struct SpawnWorkers {
  using Answer = Spawned;

  std::optional<std::string> cgroup;
  Work work;
  std::vector<CpuSet> affinities;
  Policy policy;
  std::int32_t nice = 0;
  std::string comm;

  static consteval auto describe() {
    using T = SpawnWorkers;
    return record("spawn_workers", "starts workers of one kind",
                  field<&T::cgroup>("where they run; absent: the agent's own"),
                  field<&T::work>("what they do"),
                  field<&T::affinities>("one CPU set for each worker; empty: what its cgroup allows"),
                  field<&T::policy>("scheduling policy"), field<&T::nice>("nice value, -20 to 19"),
                  field<&T::comm>("task name; empty: the work type's"));
  }
};
/// Stops workers (SIGUSR1, one shared 5 s deadline, then SIGKILL) and answers their reports, those of workers
/// that ended by themselves included. Absent cgroup: all workers everywhere. A frozen cgroup is thawed first:
/// its tasks can't stop.
struct StopWorkers {
  using Answer = Stopped;

  std::optional<std::string> cgroup;

  static consteval auto describe() {
    return record("stop_workers", "stops workers and asks for their reports",
                  field<&StopWorkers::cgroup>("whose workers; absent: all"));
  }
};
/// One set for each worker of the cgroup, in order of spawning; an empty set means all CPUs.
struct SetAffinity {
  using Answer = Done;

  std::string cgroup;
  std::vector<CpuSet> affinities;

  static consteval auto describe() {
    using T = SetAffinity;
    return record(
        "set_affinity", "changes the affinity of a cgroup's workers",
        field<&T::cgroup>("name below the agent's root"),
        field<&T::affinities>("one CPU set for each worker, in order of spawning; empty: all CPUs"));
  }
};
/// Moves every task of `from`. Absent names mean the agent's own cgroup; from there only workers are moved.
struct MoveTasks {
  using Answer = Done;

  std::optional<std::string> from;
  std::optional<std::string> to;

  static consteval auto describe() {
    using T = MoveTasks;
    return record("move_tasks", "moves all tasks of one cgroup to another",
                  field<&T::from>("absent: the agent's own"), field<&T::to>("absent: the agent's own"));
  }
};
struct FreezeCgroup {
  using Answer = Done;

  std::string cgroup;
  bool frozen = true;

  static consteval auto describe() {
    using T = FreezeCgroup;
    return record("freeze_cgroup", "freezes or thaws a cgroup and waits until it is",
                  field<&T::cgroup>("name below the agent's root"),
                  field<&T::frozen>("true to freeze, false to thaw"));
  }
};
struct CgroupProcs {
  std::map<std::string, std::vector<std::int32_t>> cgroups;

  static consteval auto describe() {
    return record("cgroup_procs", "the processes of each cgroup",
                  field<&CgroupProcs::cgroups>("pids, by the cgroup's name"));
  }
};
struct CaptureCgroupProcs {
  using Answer = CgroupProcs;

  static consteval auto describe() {
    return record<CaptureCgroupProcs>("capture_cgroup_procs", "lists the processes of each cgroup");
  }
};
/// `content` holds at most the limit asked for; `truncated` tells that there was more.
struct FileContent {
  std::string content;
  bool truncated = false;

  static consteval auto describe() {
    using T = FileContent;
    return record(
        "file_content", "a file's bytes",
        field<&T::content>("at most the limit asked for; bytes that are no UTF-8 are replaced by '?'"),
        field<&T::truncated>("whether there was more"));
  }
};
/// Reads a file of the guest (tests: /proc, /sys), at most `limit` bytes.
struct ReadFile {
  using Answer = FileContent;

  std::string path;
  std::uint32_t limit = 1 << 20;
  std::uint64_t offset = 0;

  static consteval auto describe() {
    using T = ReadFile;
    return record("read_file", "reads a file of the guest", field<&T::path>("absolute path"),
                  field<&T::limit>("most bytes to answer"), field<&T::offset>("the first of them"));
  }
};
/// Removes every cgroup and worker, then powers the guest off (as PID 1) or leaves (on a bare host).
struct Shutdown {
  using Answer = Done;

  static consteval auto describe() {
    return record<Shutdown>("shutdown", "removes everything and ends the agent");
  }
};

using Request = std::variant<AddCgroup, RemoveCgroup, SetCpuset, SpawnWorkers, StopWorkers, SetAffinity,
                             MoveTasks, FreezeCgroup, ReadFile, Shutdown, AttachScheduler, DetachScheduler,
                             ReplaceScheduler, RestartScheduler, QueryScheduler, PinBpfMap, Refresh,
                             CaptureThreads, ReadCapture, FindTopology, SetStatistics, CaptureCgroupProcs>;

/// What a frame from the runner holds. The reply carries the same id.
struct RequestMessage {
  std::uint64_t id = 0;
  Request request;

  static consteval auto describe() {
    using T = RequestMessage;
    return record("request", "a request and its number", field<&T::id>("number of the request, from 1"),
                  field<&T::request>("what is asked"));
  }
};

/// First message of the agent, unasked.
struct Hello {
  std::uint32_t version = kVersion;
  std::string kernel_release;
  std::uint32_t cpus = 0;
  std::uint64_t monotonic_ns = 0;
  std::uint64_t boot_ns = 0;

  static consteval auto describe() {
    using T = Hello;
    return record("hello", "the agent is ready", field<&T::version>("protocol version"),
                  field<&T::kernel_release>("uname -r"), field<&T::cpus>("online CPUs"),
                  field<&T::monotonic_ns>("CLOCK_MONOTONIC when sent, ns"),
                  field<&T::boot_ns>("CLOCK_BOOTTIME when the agent began, ns"));
  }
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
  std::string work;
  std::uint64_t work_units = 0;  ///< the smallest things a type does: loop turns, touches (guest/works/)
  std::uint64_t iterations = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t off_cpu_ns = 0;
  bool completed = false;
  std::uint64_t migrations = 0;
  std::vector<std::uint32_t> migration_cpus;
  CpuSet cpus_used;
  std::uint64_t longest_gap_ns = 0;  ///< from when it could run to its next sign of progress
  std::uint32_t longest_gap_cpu = 0;
  std::uint64_t longest_gap_at_ns = 0;
  std::optional<std::uint64_t> schedstat_run_delay_ns;
  std::optional<std::uint64_t> schedstat_run_count;
  std::optional<std::uint64_t> schedstat_cpu_time_ns;
  /// Evenly spread by rank, ascending; listed by the runner from wake_histogram (list_wake_latencies()).
  std::vector<std::uint64_t> wake_latencies_ns;
  std::uint64_t wake_latencies_total = 0;
  ExitInfo exit;
  std::optional<std::string> failure;
  std::string role;
  std::vector<CpuSet> affinities;
  CpuSet stray_cpus;
  LatencyHistogram wake_histogram;
  std::optional<std::uint64_t> wake_latency_max_ns;

  static consteval auto describe() {
    using T = WorkerReport;
    return record(
        "worker report", "what one worker did between its release and its stop", field<&T::tid>("thread id"),
        field<&T::cgroup>("its cgroup at the end; absent: the agent's own"),
        field<&T::work>("the work type's name"), field<&T::work_units>("work units done"),
        field<&T::iterations>("rounds of the work loop"), field<&T::cpu_ns>("CPU time, ns"),
        field<&T::wall_ns>("time from release to end, ns"), field<&T::off_cpu_ns>("wall_ns - cpu_ns, ns"),
        field<&T::completed>("whether it ended its loop and reported by itself"),
        field<&T::migrations>("changes of CPU seen between iterations"),
        field<&T::migration_cpus>("the CPU after each migration, the first 1000"),
        field<&T::cpus_used>("CPUs seen between iterations"),
        field<&T::longest_gap_ns>("longest time without progress while not asleep by choice, ns"),
        field<&T::longest_gap_cpu>("CPU at the end of that gap"),
        field<&T::longest_gap_at_ns>("end of that gap, ns since release"),
        field<&T::schedstat_run_delay_ns>("time runnable but not running, ns"),
        field<&T::schedstat_run_count>("times it was put on a CPU"),
        field<&T::schedstat_cpu_time_ns>("CPU time by the scheduler's account, ns"),
        field<&T::wake_latencies_ns>("times from a due or posted wake-up to running, at most 1000 of them, "
                                     "evenly spread by rank, ascending; each at most 1/32 too great, ns"),
        field<&T::wake_latencies_total>("how many wake-ups there were"), field<&T::exit>("how it ended"),
        field<&T::failure>(
            "why it ended before its stop, e.g. \"fork: Resource temporarily unavailable (pids.max 4)\""),
        field<&T::role>(
            "its part in its group, e.g. \"messenger\" or \"receiver\"; empty where all members do the same"),
        field<&T::affinities>(
            "the CPUs it asked for, in order of the changes; an empty set: what its cpuset allows"),
        field<&T::stray_cpus>("CPUs it was seen on while its cpuset did not hold them"),
        field<&T::wake_histogram>("the times from a due or posted wake-up to running"),
        field<&T::wake_latency_max_ns>("the longest of them, exact, ns"));
  }
};

struct Stopped {
  std::vector<WorkerReport> reports;

  static consteval auto describe() {
    return record("stopped", "workers ended", field<&Stopped::reports>("one for each, in order of spawning"));
  }
};
/// The request failed; nothing of it is left half done unless the message says so.
struct Failed {
  ErrorCode code = ErrorCode::kIo;
  std::string message;

  static consteval auto describe() {
    using T = Failed;
    return record("failed", "the request was not carried out", field<&T::code>("what kind of failure"),
                  field<&T::message>("why"));
  }
};

/// A variant with the answers of more requests.
template <class Replies, class... Requests>
struct WithAnswers {
  using Type = Replies;
};
template <class... Replies, class First, class... Rest>
struct WithAnswers<std::variant<Replies...>, First, Rest...> {
  static constexpr bool kIsKnown = (std::same_as<Replies, typename First::Answer> || ...);
  using Type = typename WithAnswers<std::conditional_t<kIsKnown, std::variant<Replies...>,
                                                       std::variant<Replies..., typename First::Answer>>,
                                    Rest...>::Type;
};
template <class... Requests>
auto replies_to(const std::variant<Requests...>&) ->
    typename WithAnswers<std::variant<Hello, Failed>, Requests...>::Type;

/// Hello, Failed and whatever answers a request.
using Reply = decltype(replies_to(std::declval<Request>()));

/// What a frame from the agent holds. Id 0: not the answer to a request that could be read (Hello, or Failed
/// for garbage).
struct ReplyMessage {
  std::uint64_t id = 0;
  Reply reply;

  static consteval auto describe() {
    using T = ReplyMessage;
    return record("reply", "an answer and the number of its request",
                  field<&T::id>("number of the request; 0: none"), field<&T::reply>("the answer"));
  }
};

/// What carrying out a Request gives: its answer; a Status where that is Done.
template <class Request>
using Answered = std::conditional_t<std::same_as<typename Request::Answer, Done>, Status,
                                    Result<typename Request::Answer>>;

}  // namespace ktstr::engine::protocol
