// RqScxState: the sched_ext part of one CPU's run queue (struct scx_rq, kernel/sched/sched.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// rq->scx at one instant. Absent: the kernel has no such member, or nothing is current. The runnable list
/// ends early at a cap (runnable_truncated) or where it could not be followed (runnable_problem says why).
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
        field<&T::curr_pid>("the running task"), field<&T::curr_comm>("its name"),
        field<&T::curr_kva>("address of its task_struct"),
        field<&T::runnable_task_kvas>("task_structs on the runnable list, oldest first"),
        field<&T::runnable_truncated>("whether the list was longer than what is shown"),
        field<&T::runnable_problem>("why the list could not be followed to its end"));
  }
};

}  // namespace ktstr::introspect
