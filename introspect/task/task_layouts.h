// Layouts of a task's structures (include/linux/sched.h, sched/ext.h, sched/signal.h, pid.h), 6.16 to 7.3.
#pragma once

#include "introspect/reader.h"
#include "introspect/task/enrichment.h"

namespace ktstr::introspect {

struct TaskLayout : Reader<TaskEnrichment, "task_struct"> {
  Field<std::uint32_t> state{*this, {"__state"}};
  Field<std::int32_t> exit_state{*this, {"exit_state"}};
  Field<KernelVirt> group_leader{*this, {"group_leader"}};
  Field<KernelVirt> real_parent{*this, {"real_parent"}};
  Field<KernelVirt> signal{*this, {"signal"}};
  Field<KernelVirt> sched_class{*this, {"sched_class"}};
  OptionalField<KernelVirt> cpus_ptr{*this, {"cpus_ptr"}};
  OptionalField<KernelVirt> scx_dsq{*this, {"scx.dsq"}};
  OptionalField<std::uint64_t> scx_ops_state{*this, {"scx.ops_state.counter"}};
};

struct SignalLayout : Reader<TaskEnrichment, "signal_struct"> {
  Field<KernelVirt> process_group{*this, {"pids[2]"}};  // PIDTYPE_PGID, include/linux/pid_types.h
  Field<KernelVirt> session{*this, {"pids[3]"}};        // PIDTYPE_SID
};

struct PidLayout : LayoutOf<"pid"> {
  Embedded numbers{*this, {"numbers"}};
};

/// One number of a struct pid; the first is that of the initial namespace.
struct UpidLayout : LayoutOf<"upid"> {
  Field<std::int32_t> number{*this, {"nr"}};
};

}  // namespace ktstr::introspect
