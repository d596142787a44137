#include "introspect/runqueue/runqueue_reader.h"

#include "introspect/runqueue/queued_task.h"
#include "introspect/task/task_names.h"
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

/// rq->rt: a list for each priority (kernel/sched/rt.c).
void read_rt_queue(RunqueueReading& reading) {
  const auto& layouts = reading.layouts;
  if (reading.result.rt.nr_running == 0) return;
  const KernelVirt lists = layouts.rt_array.queue.address(layouts.rq.rt_active.address(reading.rq));
  for (std::uint32_t i = 0; i + 1 < kMaxRtPriority && reading.tasks_left > 0; ++i)
    add_list(reading, lists + i * kListHeadBytes, kMaxRtPriority - 1 - i);
  if (reading.tasks_left == 0) reading.result.truncated = true;
}

/// The member of struct rq that a server is; nullopt for a task's entity.
std::optional<std::string> server_name(const RunqueueReading& reading, KernelVirt entity) {
  const auto& rq = reading.layouts.rq;
  if (rq.fair_server.present() && entity == rq.fair_server.address(reading.rq)) return "fair_server";
  if (rq.ext_server.present() && entity == rq.ext_server.address(reading.rq)) return "ext_server";
  return std::nullopt;
}

void add_entity(RunqueueReading& reading, KernelVirt entity) {
  const auto& layout = reading.layouts.deadline;
  DeadlineTask task;
  const auto server = server_name(reading, entity);
  if (server)
    task.comm = *server;
  else if (!name_task(reading, entity - reading.layouts.task.deadline.offset(), task))
    return reading.problem("dl: the task of a sched_dl_entity can't be read");
  StructBytes bytes;
  if (!bytes.capture(reading.kernel, layout, entity))
    return reading.problem("dl: a sched_dl_entity can't be read");
  layout.fill(bytes, task);
  reading.result.deadline.tasks.push_back(std::move(task));
}

/// rq->dl: a tree by absolute deadline (kernel/sched/deadline.c).
void read_deadline_queue(RunqueueReading& reading) {
  const auto& rq = reading.layouts.rq;
  const auto walked = walk_rbtree(reading.kernel.translator(), reading.layouts.rbtree,
                                  rq.dl_root.address(reading.rq), reading.tasks_left);
  reading.note("dl: the tree", walked);
  for (const KernelVirt node : walked.items) {
    --reading.tasks_left;
    add_entity(reading, node - reading.layouts.deadline.node.offset());
  }
}

}  // namespace

Result<RunqueueReader> RunqueueReader::create(const Kernel& kernel) {
  RunqueueReader reader;
  KTSTR_TRY(reader.layouts_.resolve(kernel.btf()));
  reader.classes_ = sched_classes(kernel);
  return reader;
}

void RunqueueReader::read_current(const Kernel& kernel, KernelVirt task, CpuRunqueue& queue) const {
  if (!kernel.plausible_pointer(task)) return;
  queue.curr_kva = task.value();
  queue.curr_pid = layouts_.task.read<&RtTask::pid>(kernel, task);
  queue.curr_comm = layouts_.task.read<&RtTask::comm>(kernel, task);
  const auto sched_class = layouts_.task.sched_class.read(kernel, task);
  const auto named = sched_class ? classes_.find(*sched_class) : classes_.end();
  if (named != classes_.end()) queue.curr_class = named->second;
}

Result<CpuRunqueue> RunqueueReader::read(const Kernel& kernel, std::size_t cpu) const {
  const KernelVirt rq = KTSTR_TRY(kernel.per_cpu("runqueues", cpu));
  StructBytes bytes;
  if (!bytes.capture(kernel, layouts_.rq, rq))
    return Error{ErrorCode::kOutOfRange, "the run queue of cpu" + std::to_string(cpu) + " can't be read"};
  CpuRunqueue queue;
  queue.cpu = static_cast<std::uint32_t>(cpu);
  layouts_.rq.fill(bytes, queue);
  read_current(kernel, layouts_.rq.curr.of(bytes), queue);
  RunqueueReading reading{kernel, layouts_, rq, queue};
  read_deadline_queue(reading);
  read_rt_queue(reading);
  read_fair_queue(reading);
  return queue;
}

Readings<CpuRunqueue> RunqueueReader::read_all(const Kernel& kernel,
                                               const std::function<bool()>& keep_going) const {
  Readings<CpuRunqueue> all;
  for (const std::size_t cpu : kernel.possible_cpus().to_vector()) {
    if (!keep_going()) {
      all.problems.push_back("run queues from cpu" + std::to_string(cpu) +
                             " on were not read: the time was up");
      break;
    }
    all.add(read(kernel, cpu));
  }
  return all;
}

}  // namespace ktstr::introspect
