// TaskReader: what a dump tells of tasks, read out of a guest's memory (include/linux/sched.h, sched/ext.h,
// sched/signal.h, pid.h), 6.16 to 7.3.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/reader.h"
#include "introspect/scx/flag_names.h"
#include "introspect/scx/scx_layouts.h"
#include "introspect/task/enrichment.h"
#include "introspect/task/task_list.h"

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

/// Names what stands in task_struct.scx. Must not outlive the Kernel's debug info.
class TaskScxReader {
 public:
  /// kNotFound: the kernel has no sched_ext.
  [[nodiscard]] static Result<TaskScxReader> create(const Kernel& kernel);

  /// Adds to what was read with `layout` the names of flags and states, the DSQ and the time of waiting.
  void complete(const Kernel& kernel, const TaskWalkerEntry& entry, const TaskLayout& layout,
                const StructBytes& bytes, TaskScxState& state) const;

 private:
  TaskScxReader() = default;
  void name_states(const Btf& btf);

  DsqLayout dsq_;
  FlagNames flags_;
  std::uint32_t state_mask_ = 0;
  std::map<std::uint32_t, std::string> states_;  ///< by the masked, unshifted bits of the flags
  std::vector<BtfEnumerator> ops_states_;
  std::optional<KernelVirt> jiffies_;
};

/// The most tasks that are read for one dump.
inline constexpr std::size_t kMaxEnrichedTasks = 4096;

/// The tasks of one dump.
struct TaskEnrichments {
  std::vector<TaskEnrichment> tasks;
  std::size_t total = 0;                   ///< entries there were
  std::size_t unreadable = 0;              ///< of those looked at
  bool truncated = false;                  ///< the cap or keep_going cut some off
  std::optional<std::string> unavailable;  ///< a kReason, when `tasks` is empty
};

/// Knows where a kernel build keeps things. Const use is thread-safe. Must not outlive the Kernel's debug
/// info.
class TaskReader {
 public:
  /// kNotFound: the kernel's BTF lacks a member without which no task can be told; the message names it.
  [[nodiscard]] static Result<TaskReader> create(const Kernel& kernel);

  [[nodiscard]] const TaskListLayout& list_layout() const { return list_; }

  /// One task. kOutOfRange: its task_struct can't be read. What it points to and can't be read is absent.
  [[nodiscard]] Result<TaskEnrichment> read(const Kernel& kernel, const TaskWalkerEntry& entry) const;

  /// Up to kMaxEnrichedTasks of `entries`, in their order. `keep_going` is asked before each.
  [[nodiscard]] TaskEnrichments read_all(
      const Kernel& kernel, std::span<const TaskWalkerEntry> entries,
      const std::function<bool()>& keep_going = [] { return true; }) const;

 private:
  TaskReader() = default;

  void read_relations(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const;
  void read_signal(const Kernel& kernel, KernelVirt signal, TaskEnrichment& task) const;
  void read_scheduling(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const;
  [[nodiscard]] std::optional<std::int32_t> pid_number(const Kernel& kernel, KernelVirt pid) const;

  TaskListLayout list_;
  TaskLayout task_;
  SignalLayout signal_;
  PidLayout pid_;
  UpidLayout upid_;
  std::optional<TaskScxReader> scx_;
  std::map<KernelVirt, std::string> classes_;  ///< "fair" ... by the address of its sched_class
};

}  // namespace ktstr::introspect
