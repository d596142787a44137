// TaskEnrichment: what a dump tells of one task (struct task_struct, include/linux/sched.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// task_struct.scx (struct sched_ext_entity). Absent: this kernel has no such member, or it could not be
/// read.
struct TaskScxState {
  std::uint32_t flags = 0;
  std::vector<std::string> flag_names;   ///< SCX_TASK_ stripped; a bit without a name as "0x..."
  std::optional<std::string> state;      ///< NONE, INIT, READY, ENABLED ...
  std::optional<std::string> ops_state;  ///< NONE, QUEUEING, QUEUED, DISPATCHING
  std::optional<std::uint64_t> dsq_kva;  ///< the DSQ that it is on
  std::optional<std::uint64_t> dsq_id;
  std::optional<std::uint64_t> slice_ns;
  std::optional<std::uint64_t> dsq_vtime;
  std::optional<std::uint64_t> runnable_at;  ///< jiffies
  std::optional<std::int64_t> runnable_for_jiffies;
  std::optional<std::int32_t> sticky_cpu;
  std::optional<std::int32_t> holding_cpu;
  std::optional<std::int32_t> selected_cpu;
  std::optional<std::uint64_t> ddsp_dsq_id;
};

/// One task at one instant. Pid numbers are those of the initial namespace. Absent: this kernel has no such
/// member, or the structure that a pointer leads to could not be read.
struct TaskEnrichment {
  std::int32_t pid = 0;
  std::int32_t tgid = 0;
  std::string comm;
  std::optional<std::int32_t> group_leader_pid;
  std::optional<std::int32_t> real_parent_pid;
  std::optional<std::string> real_parent_comm;
  std::optional<std::int32_t> ppid;
  std::optional<std::int32_t> pgid;
  std::optional<std::int32_t> sid;
  std::optional<std::int32_t> nr_threads;
  std::optional<std::string> state;
  std::optional<std::uint32_t> weight;
  std::int32_t prio = 0;
  std::int32_t static_prio = 0;
  std::int32_t normal_prio = 0;
  std::uint32_t rt_priority = 0;
  std::int32_t nice = 0;
  std::optional<std::uint32_t> policy;
  std::optional<std::string> policy_name;
  std::optional<std::string> sched_class;
  std::optional<std::uint64_t> core_cookie;
  std::optional<bool> pi_boosted_out_of_scx;
  std::uint64_t nvcsw = 0;
  std::uint64_t nivcsw = 0;
  std::optional<std::uint64_t> signal_nvcsw;
  std::optional<std::uint64_t> signal_nivcsw;
  std::optional<std::string> lock_slowpath_match;
  std::uint64_t task_kva = 0;
  std::optional<std::uint32_t> cpu;
  std::optional<bool> on_cpu;
  std::optional<bool> on_rq;
  std::optional<std::uint64_t> last_ran_ns;
  std::optional<std::uint64_t> run_time_ns;
  std::optional<std::string> cpus_allowed;
  std::optional<TaskScxState> scx;
};

}  // namespace ktstr::introspect

namespace ktstr {
template <>
inline constexpr auto describe<introspect::TaskScxState> = [] {
  using T = introspect::TaskScxState;
  return record<T>(
      "TaskScxState", "a task as sched_ext sees it", field("flags", &T::flags, "SCX_TASK_* bits"),
      field("flag_names", &T::flag_names, "the bits by name"),
      field("state", &T::state, "how far it is initialized for the scheduler"),
      field("ops_state", &T::ops_state, "who has it: QUEUED with the scheduler, DISPATCHING ..."),
      field("dsq_kva", &T::dsq_kva, "address of the DSQ that it is on"),
      field("dsq_id", &T::dsq_id, "id of the DSQ that it is on"),
      field("slice_ns", &T::slice_ns, "what is left of its time slice, ns"),
      field("dsq_vtime", &T::dsq_vtime, "its place in a DSQ ordered by vtime"),
      field("runnable_at", &T::runnable_at, "since when it has been runnable without running, jiffies"),
      field("runnable_for_jiffies", &T::runnable_for_jiffies,
            "how long that is; for tasks that are runnable"),
      field("sticky_cpu", &T::sticky_cpu, "CPU that it must go to next, -1 for none"),
      field("holding_cpu", &T::holding_cpu, "CPU that is dispatching it, -1 for none"),
      field("selected_cpu", &T::selected_cpu, "CPU that ops.select_cpu() chose"),
      field("ddsp_dsq_id", &T::ddsp_dsq_id, "DSQ of a direct dispatch in progress"));
}();

template <>
inline constexpr auto describe<introspect::TaskEnrichment> = [] {
  using T = introspect::TaskEnrichment;
  return record<T>(
      "TaskEnrichment", "one task", field("pid", &T::pid, "thread id"), field("tgid", &T::tgid, "process id"),
      field("comm", &T::comm, "name"),
      field("group_leader_pid", &T::group_leader_pid, "pid of the process's first thread"),
      field("real_parent_pid", &T::real_parent_pid, "pid of the thread that made it"),
      field("real_parent_comm", &T::real_parent_comm, "that thread's name"),
      field("ppid", &T::ppid, "parent process, as /proc shows it"), field("pgid", &T::pgid, "process group"),
      field("sid", &T::sid, "session"), field("nr_threads", &T::nr_threads, "threads of its process"),
      field("state", &T::state, "state letter, as /proc shows it"),
      field("weight", &T::weight, "sched_ext's weight, 1 to 10000"),
      field("prio", &T::prio, "priority in effect, boosts included; 0 is highest"),
      field("static_prio", &T::static_prio, "priority that its nice value gives"),
      field("normal_prio", &T::normal_prio, "priority without boosts"),
      field("rt_priority", &T::rt_priority, "real-time priority, 0 when it has none"),
      field("nice", &T::nice, "nice value, -20 to 19"), field("policy", &T::policy, "SCHED_* number"),
      field("policy_name", &T::policy_name, "SCHED_* name"),
      field("sched_class", &T::sched_class, "scheduling class in effect: fair, rt, dl, idle, stop, ext"),
      field("core_cookie", &T::core_cookie, "core scheduling cookie"),
      field("pi_boosted_out_of_scx", &T::pi_boosted_out_of_scx,
            "on sched_ext's runnable list, but run by another class for now; null: its class is unknown"),
      field("nvcsw", &T::nvcsw, "voluntary context switches"),
      field("nivcsw", &T::nivcsw, "involuntary context switches"),
      field("signal_nvcsw", &T::signal_nvcsw, "voluntary ones of its process's ended threads"),
      field("signal_nivcsw", &T::signal_nivcsw, "involuntary ones of its process's ended threads"),
      field("lock_slowpath_match", &T::lock_slowpath_match, "kind of kernel lock that it was spinning for"),
      field("task_kva", &T::task_kva, "address of its task_struct"),
      field("cpu", &T::cpu, "CPU that it is on, or was last"),
      field("on_cpu", &T::on_cpu, "whether it was running"),
      field("on_rq", &T::on_rq, "whether it was on a run queue, running or waiting"),
      field("last_ran_ns", &T::last_ran_ns,
            "when it last began to run, on its CPU's run queue clock, ns; 0 for never"),
      field("run_time_ns", &T::run_time_ns, "CPU time that it has had, ns"),
      field("cpus_allowed", &T::cpus_allowed, "CPUs that it may run on"),
      field("scx", &T::scx, "what sched_ext keeps of it"));
}();
}  // namespace ktstr
