// Layouts of a task's structures (include/linux/sched.h, sched/ext.h, sched/signal.h, pid.h), 6.16 to 7.3.
#pragma once

#include <array>

#include "introspect/layout.h"

namespace ktstr::introspect {

struct TaskLayout : StructLayout {
  TaskLayout() : StructLayout({"task_struct"}) {}
  Field<std::int32_t> pid{*this, {"pid"}};
  Field<std::int32_t> tgid{*this, {"tgid"}};
  Field<std::array<char, 16>> comm{*this, {"comm"}};
  Field<std::uint32_t> state{*this, {"__state"}};
  Field<std::int32_t> exit_state{*this, {"exit_state"}};
  Field<KernelVirt> group_leader{*this, {"group_leader"}};
  Field<KernelVirt> real_parent{*this, {"real_parent"}};
  Field<KernelVirt> signal{*this, {"signal"}};
  Field<std::int32_t> prio{*this, {"prio"}};
  Field<std::int32_t> static_prio{*this, {"static_prio"}};
  Field<std::int32_t> normal_prio{*this, {"normal_prio"}};
  Field<std::uint32_t> rt_priority{*this, {"rt_priority"}};
  Field<std::uint32_t> policy{*this, {"policy"}};
  Field<KernelVirt> sched_class{*this, {"sched_class"}};
  Field<std::uint64_t> nvcsw{*this, {"nvcsw"}};
  Field<std::uint64_t> nivcsw{*this, {"nivcsw"}};
  OptionalField<std::uint64_t> core_cookie{*this, {"core_cookie"}};     // CONFIG_SCHED_CORE
  OptionalField<std::uint32_t> cpu{*this, {"thread_info.cpu", "cpu"}};  // CONFIG_SMP
  OptionalField<std::uint8_t> on_cpu{*this, {"on_cpu"}};                // an int before 7.3
  OptionalField<std::int32_t> on_cpu_int{*this, {"on_cpu"}};
  OptionalField<KernelVirt> cpus_ptr{*this, {"cpus_ptr"}};
  OptionalField<std::uint8_t> on_rq{*this, {"on_rq"}};  // an int before 7.3
  OptionalField<std::int32_t> on_rq_int{*this, {"on_rq"}};
  OptionalField<std::uint64_t> last_arrival{*this, {"sched_info.last_arrival"}};  // CONFIG_SCHED_INFO
  OptionalField<std::uint64_t> run_time{*this, {"se.sum_exec_runtime"}};
};

/// task_struct.scx, CONFIG_SCHED_CLASS_EXT.
struct TaskScxLayout : StructLayout {
  TaskScxLayout() : StructLayout({"task_struct"}) {}
  Field<std::uint32_t> flags{*this, {"scx.flags"}};
  Field<std::uint32_t> weight{*this, {"scx.weight"}};
  OptionalField<KernelVirt> dsq{*this, {"scx.dsq"}};
  OptionalField<std::uint64_t> ops_state{*this, {"scx.ops_state.counter"}};
  OptionalField<std::uint64_t> slice{*this, {"scx.slice"}};
  OptionalField<std::uint64_t> dsq_vtime{*this, {"scx.dsq_vtime"}};
  OptionalField<std::uint64_t> runnable_at{*this, {"scx.runnable_at"}};
  OptionalField<std::int32_t> sticky_cpu{*this, {"scx.sticky_cpu"}};
  OptionalField<std::int32_t> holding_cpu{*this, {"scx.holding_cpu"}};
  OptionalField<std::int32_t> selected_cpu{*this, {"scx.selected_cpu"}};
  OptionalField<std::uint64_t> ddsp_dsq_id{*this, {"scx.ddsp_dsq_id"}};
};

struct SignalLayout : StructLayout {
  SignalLayout() : StructLayout({"signal_struct"}) {}
  Field<std::int32_t> nr_threads{*this, {"nr_threads"}};
  Field<std::uint64_t> nvcsw{*this, {"nvcsw"}};
  Field<std::uint64_t> nivcsw{*this, {"nivcsw"}};
  Field<KernelVirt> process_group{*this, {"pids[2]"}};  // PIDTYPE_PGID, include/linux/pid_types.h
  Field<KernelVirt> session{*this, {"pids[3]"}};        // PIDTYPE_SID
};

struct PidLayout : StructLayout {
  PidLayout() : StructLayout({"pid"}) {}
  Embedded numbers{*this, {"numbers"}};
};

/// One number of a struct pid; the first is that of the initial namespace.
struct UpidLayout : StructLayout {
  UpidLayout() : StructLayout({"upid"}) {}
  Field<std::int32_t> number{*this, {"nr"}};
};

}  // namespace ktstr::introspect
