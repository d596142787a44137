// rq->dl: a tree by absolute deadline (kernel/sched/deadline.c).
#include "introspect/runqueue/queued_task.h"

namespace ktstr::introspect {
namespace {

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

}  // namespace

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

}  // namespace ktstr::introspect
