// What the queues of all classes share: a run queue being read, and its tasks.
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

/// Fills pid, comm, task_kva and running. False when the task_struct can't be read.
template <class Task>
[[nodiscard]] bool name_task(const RunqueueReading& reading, KernelVirt task, Task& out) {
  const auto& layout = reading.layouts.task;
  if (!reading.kernel.plausible_pointer(task)) return false;
  const auto pid = layout.read<&RtTask::pid>(reading.kernel, task);
  auto comm = layout.read<&RtTask::comm>(reading.kernel, task);
  if (!pid || !comm) return false;
  out.pid = *pid;
  out.comm = std::move(*comm);
  out.task_kva = task.value();
  out.running = reading.result.curr_kva == task.value();
  return true;
}

/// rq->cfs: the tasks of the fair class, and how far each is from what is due to it.
void read_fair_queue(RunqueueReading& reading);

}  // namespace ktstr::introspect
