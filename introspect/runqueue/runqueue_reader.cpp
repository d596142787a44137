#include "introspect/runqueue/runqueue_reader.h"

#include "introspect/runqueue/queued_task.h"
#include "introspect/scx/text.h"
#include "introspect/task/task_names.h"

namespace ktstr::introspect {

Result<RunqueueReader> RunqueueReader::create(const Kernel& kernel) {
  RunqueueReader reader;
  KTSTR_TRY(reader.layouts_.resolve(kernel.btf()));
  reader.classes_ = sched_classes(kernel);
  return reader;
}

void RunqueueReader::read_current(const Kernel& kernel, KernelVirt task, CpuRunqueue& queue) const {
  if (!kernel.plausible_pointer(task)) return;
  queue.curr_kva = task.value();
  queue.curr_pid = layouts_.task.pid.read(kernel, task);
  if (const auto comm = layouts_.task.comm.read(kernel, task)) queue.curr_comm = until_nul(*comm);
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
    auto queue = read(kernel, cpu);
    if (queue)
      all.rows.push_back(std::move(*queue));
    else
      all.problems.push_back(std::move(queue.error().message));
  }
  return all;
}

}  // namespace ktstr::introspect
