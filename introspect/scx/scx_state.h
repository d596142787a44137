// The state of sched_ext as a dump shows it: the loaded scheduler, its part of each CPU's run queue, the
// dispatch queues, and why schedulers ended (kernel/sched/ext*, kernel/sched/sched.h,
// include/linux/sched/ext.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// A value of ScxSchedState::source.
inline constexpr char kScxSchedLive[] = "live";  ///< read from *scx_root

/// One loaded scheduler, struct scx_sched, at one instant. Absent: the kernel has neither the member nor the
/// global variable that came before it (`aborting` before 6.19), or it could not be read.
struct ScxSchedState {
  std::optional<bool> aborting;
  std::optional<std::int32_t> bypass_depth;
  std::uint32_t exit_kind = 0;  ///< SCX_EXIT_DONE once the kernel has begun to disable it: see ScxExitRecord
  std::optional<std::string> exit_kind_name;
  std::optional<std::uint64_t> watchdog_timeout;
  std::optional<std::string> source;
  std::optional<std::uint64_t> sched_kva;
  std::optional<std::string> ops_name;
  std::optional<std::uint32_t> timeout_ms;
  std::optional<std::uint64_t> ops_flags;
  std::optional<std::uint64_t> slice_dfl_ns;
  std::optional<std::int32_t> level;
  std::optional<std::string> enable_state;

  static consteval auto describe() {
    using T = ScxSchedState;
    return record(
        "the loaded sched_ext scheduler",
        field<&T::aborting>("whether it is being aborted").from("scx_sched"),
        field<&T::bypass_depth>("nesting of bypass mode; above 0 the scheduler is not asked")
            .from("scx_sched"),
        field<&T::exit_kind>("enum scx_exit_kind; 0 while it runs").from("scx_sched", {"exit_kind.counter"}),
        field<&T::exit_kind_name>("the kernel's name of exit_kind"),
        field<&T::watchdog_timeout>("how long a runnable task may wait, jiffies").from("scx_sched"),
        field<&T::source>("\"live\", or \"bss_snapshot\" when latched as it exited"),
        field<&T::sched_kva>("address of the scx_sched"),
        field<&T::ops_name>("sched_ext_ops.name").from("scx_sched", {"ops.name"}),
        field<&T::timeout_ms>("sched_ext_ops.timeout_ms; 0 stands for the kernel's default")
            .from("scx_sched", {"ops.timeout_ms"}),
        field<&T::ops_flags>("sched_ext_ops.flags, SCX_OPS_* bits").from("scx_sched", {"ops.flags"}),
        field<&T::slice_dfl_ns>("default time slice, ns").from("scx_sched", {"slice_dfl"}),
        field<&T::level>("depth below the root scheduler; 0 for the root").from("scx_sched"),
        field<&T::enable_state>("state of sched_ext as a whole: enabled, disabling ..."));
  }
};

/// rq->scx (struct scx_rq) at one instant. Absent: the kernel has no such member, or nothing is current. The
/// runnable list ends early at a cap (runnable_truncated) or where it could not be followed (runnable_problem
/// says why).
struct RqScxState {
  std::uint32_t cpu = 0;
  std::uint32_t nr_running = 0;
  std::uint32_t flags = 0;
  std::vector<std::string> flag_names;  ///< SCX_RQ_ stripped; a bit without a name as "0x..."
  std::optional<bool> cpu_released;
  std::optional<std::uint64_t> ops_qseq;
  std::optional<std::uint64_t> kick_sync;
  std::optional<std::uint32_t> nr_immed;
  std::optional<std::uint64_t> rq_clock;
  std::optional<std::uint32_t> cpuperf_target;
  std::optional<std::int32_t> curr_pid;
  std::optional<std::string> curr_comm;
  std::optional<std::uint64_t> curr_kva;
  std::vector<std::uint64_t> runnable_task_kvas;
  bool runnable_truncated = false;
  std::optional<std::string> runnable_problem;

  static consteval auto describe() {
    using T = RqScxState;
    return record(
        "sched_ext's part of one CPU's run queue", field<&T::cpu>("CPU number"),
        field<&T::nr_running>("runnable tasks of sched_ext").from("rq", {"scx.nr_running"}),
        field<&T::flags>("SCX_RQ_* bits").from("rq", {"scx.flags"}),
        field<&T::flag_names>("the bits by name"),
        field<&T::cpu_released>("whether a higher scheduling class has the CPU")
            .from("rq", {"scx.cpu_released"}),
        field<&T::ops_qseq>("sequence number of the last enqueue").from("rq", {"scx.ops_qseq"}),
        field<&T::kick_sync>("counts scheduling events that kicks wait for")
            .from("rq", {"scx.kick_sync", "scx.pnt_seq"}),
        field<&T::nr_immed>("tasks on the local DSQ that must run at once").from("rq", {"scx.nr_immed"}),
        field<&T::rq_clock>("what scx_bpf_now() gives, ns").from("rq", {"scx.clock"}),
        field<&T::cpuperf_target>("performance asked for, 0 to 1024").from("rq", {"scx.cpuperf_target"}),
        field<&T::curr_pid>("the running task").from("task_struct", {"pid"}),
        field<&T::curr_comm>("its name").from("task_struct", {"comm"}),
        field<&T::curr_kva>("address of its task_struct"),
        field<&T::runnable_task_kvas>("task_structs on the runnable list, oldest first"),
        field<&T::runnable_truncated>("whether the list was longer than what is shown"),
        field<&T::runnable_problem>("why the list could not be followed to its end"));
  }
};

/// A DSQ (struct scx_dispatch_q) at one instant. `nr` is the kernel's own count; task_kvas is what was found
/// by walking, in the order in which the tasks will be taken. Cursors that iterating BPF programs leave in
/// the list are not tasks and left out.
struct DsqState {
  std::uint64_t id = 0;
  std::string origin;  ///< "local cpu 3", "bypass cpu 3", "global node 0", "user", "reject cpu 3" ...
  std::uint32_t nr = 0;
  std::uint32_t seq = 0;
  std::vector<std::uint64_t> task_kvas;
  bool truncated = false;
  std::uint64_t dsq_kva = 0;
  std::optional<std::vector<std::uint64_t>> priq_task_kvas;  ///< absent for a queue without a vtime tree
  std::optional<std::string> problem;

  static consteval auto describe() {
    using T = DsqState;
    return record("a dispatch queue and its tasks",
                  field<&T::id>("DSQ id; bit 63 is set in those of the kernel's own").from("scx_dispatch_q"),
                  field<&T::origin>("where the queue was found"),
                  field<&T::nr>("tasks queued").from("scx_dispatch_q"),
                  field<&T::seq>("counts insertions").from("scx_dispatch_q"),
                  field<&T::task_kvas>("task_structs in the order of the queue"),
                  field<&T::truncated>("whether the queue was longer than what is shown"),
                  field<&T::dsq_kva>("address of the scx_dispatch_q"),
                  field<&T::priq_task_kvas>("the tasks in order of vtime, for a queue ordered so"),
                  field<&T::problem>("why the queue could not be followed to its end"));
  }
};

/// Values of ScxExitRecord::source: what proves that the scx_sched still exists.
inline constexpr char kExitFromRoot[] = "scx_root";         ///< it is the root scheduler
inline constexpr char kExitFromStructOps[] = "struct_ops";  ///< a registered struct_ops map still holds it

struct ScxExitFrame {
  std::uint64_t address = 0;
  std::optional<std::string> symbol;  ///< "scx_watchdog_workfn+0x1c"; absent outside the kernel image

  static consteval auto describe() {
    using T = ScxExitFrame;
    return record("one frame of a kernel backtrace", field<&T::address>("return address"),
                  field<&T::symbol>("function and offset"));
  }
};

/// The exit information of one scheduler, struct scx_exit_info. The kernel fills it in steps: kind, code,
/// message and backtrace at once (scx_vexit), the dump text after that, and only then does it begin to
/// disable the scheduler: `settled` is true from there on, and all that will ever be known is in the record.
struct ScxExitRecord {
  std::uint32_t kind = 0;
  std::optional<std::string> kind_name;
  std::int64_t exit_code = 0;
  std::optional<std::int32_t> exit_cpu;
  std::optional<std::uint64_t> flags;
  std::optional<std::string> reason;
  std::optional<std::string> msg;
  std::vector<ScxExitFrame> backtrace;
  std::optional<std::string> dump;
  bool dump_truncated = false;
  bool settled = false;
  std::optional<std::string> ops_name;
  std::uint64_t sched_kva = 0;
  std::string source;

  static consteval auto describe() {
    using T = ScxExitRecord;
    return record("why a scheduler ended", field<&T::kind>("enum scx_exit_kind").from("scx_exit_info"),
                  field<&T::kind_name>("the kernel's name of the kind"),
                  field<&T::exit_code>("SCX_ECODE_* bits and the scheduler's own").from("scx_exit_info"),
                  field<&T::exit_cpu>("CPU that it ended on").from("scx_exit_info"),
                  field<&T::flags>("SCX_EFLAG_* bits").from("scx_exit_info"),
                  field<&T::reason>("the kernel's words for the kind"),
                  field<&T::msg>("what exactly went wrong"),
                  field<&T::backtrace>("where in the kernel, innermost first"),
                  field<&T::dump>("the kernel's own dump of sched_ext's state"),
                  field<&T::dump_truncated>("whether the dump was longer than what is shown"),
                  field<&T::settled>("whether the kernel has finished the record"),
                  field<&T::ops_name>("sched_ext_ops.name"), field<&T::sched_kva>("address of the scx_sched"),
                  field<&T::source>("\"scx_root\" or \"struct_ops\": through what it was found"));
  }
};

// Why sched_ext state is absent from a report. Programs look for these exact texts.

/// No scheduler is loaded. Run queues and local DSQs exist all the same and are shown.
inline constexpr char kReasonScxRootNull[] = "scx_root is NULL (no scheduler attached)";
/// A scheduler is loaded, but no run queue and no DSQ could be read.
inline constexpr char kReasonScxWalkerNoState[] = "scx walker reached no state";
/// Nobody looked: the kernel has no sched_ext, or no reader was made for it.
inline constexpr char kReasonNoScxWalker[] = "no scx walker capture";

}  // namespace ktstr::introspect
