// What the runner asks of the guest agent, and what it answers. Payloads are the JSON of these structs (see frame.h).
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
#include "engine/scenario/placement.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::protocol {

/// Raised with every change that an older peer would misread.
inline constexpr std::uint32_t kVersion = 1;

// ---- requests -------------------------------------------------------------------------------------------------------

/// Makes a cgroup below the agent's root, with its controllers. Absent limits are left at the kernel's default.
struct AddCgroup {
  std::string cgroup;
  std::optional<CpuSet> cpus;
  std::optional<std::uint32_t> cpu_weight;
  std::optional<double> cpu_quota;  ///< CPUs
  std::optional<ByteSize> memory_max;
  std::optional<std::uint32_t> pids_max;
};
/// Stops the workers of the cgroup, then removes it.
struct RemoveCgroup { std::string cgroup; };
/// Absent cpus: clears the cpuset (the cgroup inherits its parent's).
struct SetCpuset { std::string cgroup; std::optional<CpuSet> cpus; };
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
/// Stops workers (SIGUSR1, one shared 5 s deadline, then SIGKILL) and answers their reports. Absent cgroup: all workers everywhere.
struct StopWorkers { std::optional<std::string> cgroup; };
/// One set for each worker of the cgroup, in order of spawning; an empty set means all CPUs.
struct SetAffinity { std::string cgroup; std::vector<CpuSet> affinities; };
/// Absent names mean the agent's own cgroup.
struct MoveTasks { std::optional<std::string> from; std::optional<std::string> to; };
struct FreezeCgroup { std::string cgroup; bool frozen = true; };
/// Reads a file of the guest (tests: /proc, /sys), at most `limit` bytes.
struct ReadFile { std::string path; std::uint32_t limit = 1 << 20; };
/// Removes every cgroup and worker, then powers the guest off (as PID 1) or leaves (on a bare host).
struct Shutdown {};

using Request = std::variant<AddCgroup, RemoveCgroup, SetCpuset, SpawnWorkers, StopWorkers, SetAffinity, MoveTasks, FreezeCgroup,
                             ReadFile, Shutdown>;

// ---- replies --------------------------------------------------------------------------------------------------------

/// First message of the agent, unasked.
struct Hello {
  std::uint32_t version = kVersion;
  std::string kernel_release;
  std::uint32_t cpus = 0;
  std::uint64_t monotonic_ns = 0;  ///< the guest's CLOCK_MONOTONIC when sent
  std::uint64_t boot_ns = 0;  ///< CLOCK_BOOTTIME when the agent's main() began
};

struct ExitInfo {
  std::string how;  ///< "exited", "signaled", "timed out" or "wait failed"
  std::optional<std::int32_t> code;  ///< exit code, signal or errno
};

/// What one worker did between its release and its stop. Times in ns of the guest's clock.
struct WorkerReport {
  std::int32_t tid = 0;
  std::optional<std::string> cgroup;
  std::string work;  ///< the work type's name
  std::uint64_t work_units = 0;
  std::uint64_t iterations = 0;
  std::uint64_t cpu_ns = 0;
  std::uint64_t wall_ns = 0;
  std::uint64_t off_cpu_ns = 0;
  bool completed = false;  ///< it ended its loop and reported by itself
  std::uint64_t migrations = 0;
  std::vector<std::uint32_t> migration_cpus;  ///< the CPU after each migration, the first 1000
  CpuSet cpus_used;
  std::uint64_t longest_gap_ns = 0;
  std::uint32_t longest_gap_cpu = 0;
  std::uint64_t longest_gap_at_ns = 0;  ///< since the worker's release
  std::optional<std::uint64_t> schedstat_run_delay_ns;
  std::optional<std::uint64_t> schedstat_run_count;
  std::optional<std::uint64_t> schedstat_cpu_time_ns;
  std::vector<std::uint64_t> wake_latencies_ns;  ///< reservoir sample, at most 100 000
  std::uint64_t wake_latencies_total = 0;  ///< how many there were
  ExitInfo exit;
};

/// Tids of the started workers, in order.
struct Spawned { std::vector<std::int32_t> tids; };
struct Stopped { std::vector<WorkerReport> reports; };
/// `content` holds at most the limit asked for; `truncated` tells that there was more.
struct FileContent { std::string content; bool truncated = false; };
struct Done {};
/// The request failed; nothing of it is left half done unless the message says so.
struct Failed { std::string message; std::optional<std::int32_t> error_number; };

using Reply = std::variant<Hello, Spawned, Stopped, FileContent, Done, Failed>;

}  // namespace ktstr::engine::protocol
