// TaskReader: what a dump tells of tasks, read out of a guest's memory.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/task/enrichment.h"
#include "introspect/task/reasons.h"
#include "introspect/task/task_layouts.h"
#include "introspect/task/task_list.h"
#include "introspect/task/task_scx.h"

namespace ktstr::introspect {

/// The most tasks that are read for one dump.
inline constexpr std::size_t kMaxEnrichedTasks = 4096;

/// The tasks of one dump.
struct TaskEnrichments {
  std::vector<TaskEnrichment> tasks;
  std::size_t total = 0;                   ///< entries there were
  std::size_t unreadable = 0;              ///< of those looked at
  bool truncated = false;                  ///< the cap or keep_going cut some off
  std::optional<std::string> unavailable;  ///< one of reasons.h, when `tasks` is empty
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
