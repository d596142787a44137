// What the queues of all classes share: a run queue being read, and tasks by their entities.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "introspect/kernel.h"
#include "introspect/runqueue/cpu_runqueue.h"
#include "introspect/runqueue/runqueue_layouts.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// The most tasks that are listed of one CPU, all classes together.
inline constexpr std::size_t kMaxQueuedTasks = 4096;

/// One CPU's run queue while it is read. `tasks_left`: how many more may be listed.
struct RunqueueReading {
  const Kernel& kernel;
  const RunqueueLayouts& layouts;
  KernelVirt rq;
  CpuRunqueue& result;
  std::size_t tasks_left = kMaxQueuedTasks;

  /// Puts down how a walk ended, unless it came to the structure's end.
  template <class Walk>
  void note(std::string_view what, const Walk& walk) {
    if (walk.end == WalkEnd::kTruncated)
      result.truncated = true;
    else if (!walk.complete())
      problem(std::string(what) + ": " + std::string(walk.reason));
  }
  void problem(std::string sentence) {
    constexpr std::size_t kMostProblems = 8;  // one damaged queue would otherwise fill the report
    if (result.problems.size() < kMostProblems) result.problems.push_back(std::move(sentence));
  }
};

/// Fills pid, comm and task_kva. False when the task_struct can't be read.
template <class Task>
[[nodiscard]] bool name_task(const RunqueueReading& reading, KernelVirt task, Task& out);

void read_fair_queue(RunqueueReading& reading);
void read_rt_queue(RunqueueReading& reading);
void read_deadline_queue(RunqueueReading& reading);

namespace detail {
/// The name; nullopt when the task_struct can't be read, `pid` is set otherwise.
[[nodiscard]] std::optional<std::string> read_name(const RunqueueReading& reading, KernelVirt task,
                                                   std::int32_t& pid);
}  // namespace detail

template <class Task>
bool name_task(const RunqueueReading& reading, KernelVirt task, Task& out) {
  std::int32_t pid = 0;
  auto comm = detail::read_name(reading, task, pid);
  if (!comm) return false;
  out.comm = std::move(*comm);
  out.pid = pid;
  out.task_kva = task.value();
  if constexpr (requires { out.running; }) out.running = reading.result.curr_kva == task.value();
  return true;
}

}  // namespace ktstr::introspect
