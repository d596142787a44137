// All tasks of a guest, and what a dump needs to know of each before reading it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/layout.h"

namespace ktstr::introspect {

/// Where struct task_struct and signal_struct keep their places in the lists of processes and threads.
struct TaskListLayout {
  struct Task : LayoutOf<"task_struct"> {
    Embedded tasks{*this, {"tasks"}};
    Embedded thread_node{*this, {"thread_node"}};
    Field<KernelVirt> signal{*this, {"signal"}};
  };
  struct Signal : LayoutOf<"signal_struct"> {
    Embedded thread_head{*this, {"thread_head"}};
  };

  Task task;
  Signal signal;

  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&task, &signal}); }
};

/// The task_structs of all threads of all processes, in the kernel's order: what /proc/*/task shows. The idle
/// tasks (pid 0) are not among them.
struct TaskList {
  std::vector<KernelVirt> tasks;
  bool truncated = false;             ///< there are more than the cap
  std::vector<std::string> problems;  ///< lists that could not be followed to their end, and why
};

/// The most tasks that are listed.
inline constexpr std::size_t kMaxListedTasks = 65'536;

/// Follows init_task.tasks and each process's thread list. kNotFound: the kernel has no init_task.
[[nodiscard]] Result<TaskList> list_tasks(const Kernel& kernel, const TaskListLayout& layout,
                                          std::size_t cap = kMaxListedTasks);

/// A task to read, and what only its finder knows.
struct TaskWalkerEntry {
  KernelVirt task;
  bool is_runnable_in_scx = false;       ///< found on a CPU's rq->scx.runnable_list
  std::optional<KernelVirt> running_pc;  ///< the instruction that its CPU was stopped at, if it was running
};

/// Entries for `tasks`, and for those of `runnable` (RqScxState::runnable_task_kvas of all CPUs) that are not
/// among them. `running`: the instruction pointer of each CPU's current task, by the task's address.
/// `queued`: those on run queues of other classes. Tasks that run, are runnable in sched_ext or queued come
/// first, so that a cap cuts the others.
[[nodiscard]] std::vector<TaskWalkerEntry> task_entries(std::span<const KernelVirt> tasks,
                                                        std::span<const std::uint64_t> runnable,
                                                        const std::map<KernelVirt, KernelVirt>& running,
                                                        std::span<const KernelVirt> queued = {});

}  // namespace ktstr::introspect
