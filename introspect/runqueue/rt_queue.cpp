// rq->rt: a list for each priority (kernel/sched/rt.c).
#include "introspect/runqueue/queued_task.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

constexpr std::uint32_t kMaxRtPriority = 100;  // MAX_RT_PRIO: list i holds priority 99 - i
constexpr std::uint64_t kListHeadBytes = 16;

void add_list(RunqueueReading& reading, KernelVirt head, std::uint32_t priority) {
  const auto walked = walk_list(reading.kernel.translator(), head, reading.tasks_left);
  reading.note("rt: the list of priority " + std::to_string(priority), walked);
  for (const KernelVirt node : walked.items) {
    --reading.tasks_left;
    const KernelVirt entity = node - reading.layouts.rt.run_list.offset();
    const auto group = reading.layouts.rt.group_queue.read(reading.kernel, entity);
    if (group && !group->is_null()) {
      reading.problem("rt: a group of real-time tasks is not followed (CONFIG_RT_GROUP_SCHED)");
      continue;
    }
    RtTask task;
    task.priority = priority;
    if (name_task(reading, entity - reading.layouts.task.rt.offset(), task))
      reading.result.rt.tasks.push_back(std::move(task));
    else
      reading.problem("rt: the task of a sched_rt_entity can't be read");
  }
}

}  // namespace

void read_rt_queue(RunqueueReading& reading) {
  const auto& layouts = reading.layouts;
  if (reading.result.rt.nr_running == 0) return;
  const KernelVirt lists = layouts.rt_array.queue.address(layouts.rq.rt_active.address(reading.rq));
  for (std::uint32_t i = 0; i + 1 < kMaxRtPriority && reading.tasks_left > 0; ++i)
    add_list(reading, lists + i * kListHeadBytes, kMaxRtPriority - 1 - i);
  if (reading.tasks_left == 0) reading.result.truncated = true;
}

}  // namespace ktstr::introspect
