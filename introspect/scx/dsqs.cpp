#include <algorithm>

#include "introspect/scx/scx_reader.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

/// MAX_NUMNODES of any configuration.
constexpr std::uint32_t kMaxNodes = 1024;

std::string numbered(std::string_view origin, std::size_t number) {
  return std::string(origin) + ' ' + std::to_string(number);
}

void tell(std::vector<std::string>& problems, std::string what, std::string_view why) {
  problems.push_back(std::move(what.append(": ").append(why)));
}

}  // namespace

DsqWalk ScxReader::read_rq_dsqs(const Kernel& kernel) const {
  DsqWalk walk;
  const RqScxLayout& rq = layouts_.rq;
  for (std::size_t cpu = 0; cpu < kernel.nr_cpu_ids(); ++cpu) {
    const auto base = kernel.per_cpu("runqueues", cpu);
    if (!base) continue;  // a hole in the CPU numbers
    const std::pair<const char*, const FieldBase&> queues[] = {{"local cpu", rq.local_dsq},
                                                               {"bypass cpu", rq.bypass_dsq},
                                                               {"reject cpu", rq.reject_dsq},
                                                               {"rescue cpu", rq.rescue_dsq}};
    for (const auto& [name, queue] : queues)
      if (queue.present()) read_dsq(kernel, queue.address(*base), numbered(name, cpu), walk);
  }
  return walk;
}

DsqWalk ScxReader::read_sched_dsqs(const Kernel& kernel, KernelVirt sched) const {
  DsqWalk walk;
  read_bypass_dsqs(kernel, sched, walk);
  read_global_dsqs(kernel, sched, walk);
  read_user_dsqs(kernel, sched, walk);
  return walk;
}

void ScxReader::read_bypass_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const {
  if (!layouts_.pcpu || !layouts_.pcpu->bypass_dsq.present()) return;
  const auto pcpu = layouts_.sched.pcpu.read(kernel, sched);
  if (!pcpu) return tell(walk.problems, "bypass DSQs", "scx_sched.pcpu can't be read");
  for (std::size_t cpu = 0; cpu < kernel.nr_cpu_ids(); ++cpu)
    if (const auto base = kernel.per_cpu(*pcpu, cpu))
      read_dsq(kernel, layouts_.pcpu->bypass_dsq.address(*base), numbered("bypass cpu", cpu), walk);
}

void ScxReader::read_global_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const {
  const bool nested = layouts_.sched.pnode.present() && layouts_.pnode;
  const auto& field = nested ? layouts_.sched.pnode : layouts_.sched.global_dsqs;
  if (!field.present()) return;
  const auto nodes = field.read(kernel, sched);
  const auto count = nr_node_ids_ ? kernel.read<std::uint32_t>(*nr_node_ids_) : 1;
  if (!nodes || !count)
    return tell(walk.problems, "global DSQs", "the number or place of the nodes can't be read");
  for (std::uint32_t node = 0; node < std::min(*count, kMaxNodes); ++node) {
    const auto place = kernel.read<KernelVirt>(*nodes + node * 8);
    if (!place) return tell(walk.problems, "global DSQs", "the array of nodes is in unmapped memory");
    if (place->is_null()) continue;  // a hole in the node numbers
    read_dsq(kernel, nested ? layouts_.pnode->global_dsq.address(*place) : *place,
             numbered("global node", node), walk);
  }
}

void ScxReader::read_user_dsqs(const Kernel& kernel, KernelVirt sched, DsqWalk& walk) const {
  if (!layouts_.sched.dsq_hash.present()) return;
  const auto found = walk_rhashtable(kernel.translator(), layouts_.rhashtable,
                                     layouts_.sched.dsq_hash.address(sched), kMaxUserDsqs);
  for (const KernelVirt node : found.items)
    read_dsq(kernel, node - layouts_.dsq.hash_node.offset(), "user", walk);
  if (!found.complete()) tell(walk.problems, "user DSQs", found.reason);
}

void ScxReader::read_dsq(const Kernel& kernel, KernelVirt dsq, std::string origin, DsqWalk& walk) const {
  StructBytes bytes;
  if (!kernel.plausible_pointer(dsq) || !bytes.capture(kernel, layouts_.dsq, dsq))
    return tell(walk.problems, "DSQ " + origin, "it is in unmapped memory");
  DsqState state;
  state.origin = std::move(origin);
  state.dsq_kva = dsq.value();
  layouts_.dsq.fill(bytes, state);
  const std::size_t cap = std::min(kMaxTasksPerList, kMaxQueuedTasks - walk.tasks);
  read_fifo(kernel, dsq, cap, state);
  read_vtime_tree(kernel, dsq, cap, state);
  walk.tasks += state.task_kvas.size();
  walk.dsqs.push_back(std::move(state));
}

/// A queue in order of vtime keeps its tasks in the list as well, in the same order.
void ScxReader::read_fifo(const Kernel& kernel, KernelVirt dsq, std::size_t cap, DsqState& state) const {
  const auto walked = walk_list(kernel.translator(), layouts_.dsq.list.address(dsq), cap);
  const std::uint64_t node_offset = layouts_.list_node.node.offset();
  for (const KernelVirt node : walked.items) {
    const auto flags = layouts_.list_node.flags.read(kernel, node - node_offset);
    if (!flags) {
      state.problem = "a queued node's flags are in unmapped memory";
      continue;
    }
    if ((*flags & layouts_.cursor_flag) != 0) continue;
    state.task_kvas.push_back((node - node_offset - layouts_.task.dsq_list.offset()).value());
  }
  state.truncated = walked.end == WalkEnd::kTruncated;
  if (!walked.complete() && !state.truncated) state.problem = walked.reason;
}

void ScxReader::read_vtime_tree(const Kernel& kernel, KernelVirt dsq, std::size_t cap,
                                DsqState& state) const {
  const auto walked = walk_rbtree(kernel.translator(), layouts_.rbtree, layouts_.dsq.priq.address(dsq), cap);
  if (walked.items.empty() && walked.complete()) return;
  auto& tasks = state.priq_task_kvas.emplace();
  for (const KernelVirt node : walked.items)
    tasks.push_back((node - layouts_.task.dsq_priq.offset()).value());
  state.truncated = state.truncated || walked.end == WalkEnd::kTruncated;
  if (!walked.complete() && walked.end != WalkEnd::kTruncated && !state.problem)
    state.problem = walked.reason;
}

}  // namespace ktstr::introspect
