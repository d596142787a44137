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
  std::optional<std::uint64_t> dsq_kva;
  std::optional<std::uint64_t> dsq_id;
  std::optional<std::uint64_t> slice_ns;
  std::optional<std::uint64_t> dsq_vtime;
  std::optional<std::uint64_t> runnable_at;
  std::optional<std::int64_t> runnable_for_jiffies;
  std::optional<std::int32_t> sticky_cpu;
  std::optional<std::int32_t> holding_cpu;
  std::optional<std::int32_t> selected_cpu;
  std::optional<std::uint64_t> ddsp_dsq_id;

  static consteval auto describe() {
    using T = TaskScxState;
    return record(
        "a task as sched_ext sees it", field<&T::flags>("SCX_TASK_* bits").from("task_struct", {"scx.flags"}),
        field<&T::flag_names>("the bits by name"),
        field<&T::state>("how far it is initialized for the scheduler"),
        field<&T::ops_state>("who has it: QUEUED with the scheduler, DISPATCHING ..."),
        field<&T::dsq_kva>("address of the DSQ that it is on"),
        field<&T::dsq_id>("id of the DSQ that it is on"),
        field<&T::slice_ns>("what is left of its time slice, ns").from("task_struct", {"scx.slice"}),
        field<&T::dsq_vtime>("its place in a DSQ ordered by vtime").from("task_struct", {"scx.dsq_vtime"}),
        field<&T::runnable_at>("since when it has been runnable without running, jiffies")
            .from("task_struct", {"scx.runnable_at"}),
        field<&T::runnable_for_jiffies>("how long that is; for tasks that are runnable"),
        field<&T::sticky_cpu>("CPU that it must go to next, -1 for none")
            .from("task_struct", {"scx.sticky_cpu"}),
        field<&T::holding_cpu>("CPU that is dispatching it, -1 for none")
            .from("task_struct", {"scx.holding_cpu"}),
        field<&T::selected_cpu>("CPU that ops.select_cpu() chose").from("task_struct", {"scx.selected_cpu"}),
        field<&T::ddsp_dsq_id>("DSQ of a direct dispatch in progress")
            .from("task_struct", {"scx.ddsp_dsq_id"}));
  }
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

  static consteval auto describe() {
    using T = TaskEnrichment;
    return record(
        "one task", field<&T::pid>("thread id").from("task_struct"),
        field<&T::tgid>("process id").from("task_struct"), field<&T::comm>("name").from("task_struct"),
        field<&T::group_leader_pid>("pid of the process's first thread"),
        field<&T::real_parent_pid>("pid of the thread that made it"),
        field<&T::real_parent_comm>("that thread's name"),
        field<&T::ppid>("parent process, as /proc shows it"), field<&T::pgid>("process group"),
        field<&T::sid>("session"), field<&T::nr_threads>("threads of its process").from("signal_struct"),
        field<&T::state>("state letter, as /proc shows it"),
        field<&T::weight>("sched_ext's weight, 1 to 10000").from("task_struct", {"scx.weight"}),
        field<&T::prio>("priority in effect, boosts included; 0 is highest").from("task_struct"),
        field<&T::static_prio>("priority that its nice value gives").from("task_struct"),
        field<&T::normal_prio>("priority without boosts").from("task_struct"),
        field<&T::rt_priority>("real-time priority, 0 when it has none").from("task_struct"),
        field<&T::nice>("nice value, -20 to 19"), field<&T::policy>("SCHED_* number").from("task_struct"),
        field<&T::policy_name>("SCHED_* name"),
        field<&T::sched_class>("scheduling class in effect: fair, rt, dl, idle, stop, ext"),
        field<&T::core_cookie>("core scheduling cookie").from("task_struct"),
        field<&T::pi_boosted_out_of_scx>("on sched_ext's runnable list, but run by another class at that "
                                         "moment; null: its class is unknown"),
        field<&T::nvcsw>("voluntary context switches").from("task_struct"),
        field<&T::nivcsw>("involuntary context switches").from("task_struct"),
        field<&T::signal_nvcsw>("voluntary ones of its process's ended threads")
            .from("signal_struct", {"nvcsw"}),
        field<&T::signal_nivcsw>("involuntary ones of its process's ended threads")
            .from("signal_struct", {"nivcsw"}),
        field<&T::lock_slowpath_match>("kind of kernel lock that it was spinning for"),
        field<&T::task_kva>("address of its task_struct"),
        field<&T::cpu>("CPU that it is on, or was last").from("task_struct", {"thread_info.cpu", "cpu"}),
        field<&T::on_cpu>("whether it was running").from("task_struct"),
        field<&T::on_rq>("whether it was on a run queue, running or waiting").from("task_struct"),
        field<&T::last_ran_ns>("when it last began to run, on its CPU's run queue clock, ns; 0 for never")
            .from("task_struct", {"sched_info.last_arrival"}),
        field<&T::run_time_ns>("CPU time that it has had, ns").from("task_struct", {"se.sum_exec_runtime"}),
        field<&T::cpus_allowed>("CPUs that it may run on"), field<&T::scx>("what sched_ext keeps of it"));
  }
};

// Why task details are absent from a report. Programs look for these exact texts.

/// Somebody looked, and there was no task, or none could be read.
inline constexpr char kReasonTaskWalkerZeroTasks[] = "task walker yielded zero tasks";
/// Nobody looked: no reader could be made for this kernel.
inline constexpr char kReasonNoTaskWalker[] = "no task walker available";

}  // namespace ktstr::introspect
