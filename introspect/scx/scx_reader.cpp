#include "introspect/scx/scx_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "introspect/sched/events.h"
#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

/// A member of newer kernels was a global variable before.
template <class T>
void read_variable(const Kernel& kernel, const std::optional<KernelVirt>& variable, std::optional<T>& value) {
  if (!value && variable) value = kernel.read<T>(*variable);
}

std::optional<std::string> enable_state_name(const Btf& btf, std::int32_t state) {
  auto name = name_of(btf.enumerators("scx_enable_state"), state, "SCX_");
  if (name)
    std::ranges::transform(*name, name->begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return name;
}

/// MAX_NUMNODES of any configuration.
constexpr std::uint32_t kMaxNodes = 1024;

void tell(std::vector<std::string>& problems, std::string what, std::string_view why) {
  problems.push_back(std::move(what.append(": ").append(why)));
}

}  // namespace

Result<ScxReader> ScxReader::create(const Kernel& kernel) {
  ScxReader reader;
  KTSTR_TRY(reader.layouts_.resolve(kernel.btf()));
  reader.root_ = KTSTR_TRY(kernel.address("scx_root"));
  reader.bypass_depth_ = kernel.known_address("scx_bypass_depth");
  reader.watchdog_timeout_ = kernel.known_address("scx_watchdog_timeout");
  reader.aborting_ = kernel.known_address("scx_aborting");
  reader.enable_state_ = kernel.known_address("scx_enable_state_var");
  reader.nr_node_ids_ = kernel.known_address("nr_node_ids");
  const SchedLayout& sched = reader.layouts_.sched;
  if (!sched.dsq_hash.present()) reader.missing_groups_.emplace_back("dsq_hash");
  if (!sched.global_dsqs.present() && !(sched.pnode.present() && reader.layouts_.pnode))
    reader.missing_groups_.emplace_back("pnode");
  reader.rq_flags_ = FlagNames(kernel.btf(), "scx_rq_flags", "SCX_RQ_");
  return reader;
}

Result<ScxSchedState> ScxReader::read_sched(const Kernel& kernel, KernelVirt sched) const {
  const SchedLayout& layout = layouts_.sched;
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, sched))
    return Error{ErrorCode::kOutOfRange, "the scx_sched can't be read"};
  ScxSchedState state;
  state.source = kScxSchedLive;
  state.sched_kva = sched.value();
  layout.fill(bytes, state);
  state.exit_kind_name = name_of(kernel.btf().enumerators("scx_exit_kind"), state.exit_kind);
  read_variable(kernel, bypass_depth_, state.bypass_depth);
  read_variable(kernel, watchdog_timeout_, state.watchdog_timeout);
  if (!state.aborting && aborting_)
    if (const auto aborting = kernel.read<std::uint8_t>(*aborting_)) state.aborting = *aborting != 0;
  if (enable_state_)
    if (const auto value = kernel.read<std::int32_t>(*enable_state_))
      state.enable_state = enable_state_name(kernel.btf(), *value);
  return state;
}

Result<RqScxState> ScxReader::read_rq(const Kernel& kernel, std::size_t cpu) const {
  const KernelVirt rq = KTSTR_TRY(kernel.per_cpu("runqueues", cpu));
  const RqScxLayout& layout = layouts_.rq;
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, rq))
    return Error{ErrorCode::kOutOfRange, "the run queue of cpu" + std::to_string(cpu) + " can't be read"};
  RqScxState state;
  state.cpu = static_cast<std::uint32_t>(cpu);
  layout.fill(bytes, state);
  state.flag_names = rq_flags_.names_of(state.flags);
  read_current_task(kernel, layout.curr.of(bytes), state);
  read_runnable_list(kernel, rq, state);
  return state;
}

void ScxReader::read_current_task(const Kernel& kernel, KernelVirt task, RqScxState& state) const {
  if (!kernel.plausible_pointer(task)) return;
  state.curr_kva = task.value();
  state.curr_pid = layouts_.task.read<&RqScxState::curr_pid>(kernel, task);
  state.curr_comm = layouts_.task.read<&RqScxState::curr_comm>(kernel, task);
}

void ScxReader::read_runnable_list(const Kernel& kernel, KernelVirt rq, RqScxState& state) const {
  const auto walked = walk_list(kernel.translator(), layouts_.rq.runnable_list.address(rq), kMaxTasksPerList);
  for (const KernelVirt node : walked.items)
    state.runnable_task_kvas.push_back((node - layouts_.task.runnable_node.offset()).value());
  state.runnable_truncated = walked.end == WalkEnd::kTruncated;
  if (!walked.complete() && !state.runnable_truncated) state.runnable_problem = walked.reason;
}

ScxSnapshot ScxReader::read_all(const Kernel& kernel, const std::function<bool()>& keep_going) const {
  ScxSnapshot snapshot;
  const auto root = read_scx_root(kernel, root_);
  const KernelVirt sched = root.value_or(KernelVirt{});
  std::optional<std::string> unknown;
  if (!root) unknown = root.error().message;
  if (!sched.is_null()) {
    if (auto state = read_sched(kernel, sched))
      snapshot.scx_sched_state = std::move(*state);
    else
      unknown = state.error().message;
  }
  if (unknown) snapshot.problems.push_back(*unknown);
  for (std::size_t cpu = 0; cpu < kernel.nr_cpu_ids() && keep_going(); ++cpu) {
    if (!kernel.possible_cpus().contains(cpu)) continue;
    if (auto state = read_rq(kernel, cpu))
      snapshot.rq_scx_states.push_back(std::move(*state));
    else
      snapshot.problems.push_back(state.error().message);
  }
  const auto add = [&](DsqWalk walk) {
    std::ranges::move(walk.dsqs, std::back_inserter(snapshot.dsq_states));
    std::ranges::move(walk.problems, std::back_inserter(snapshot.problems));
  };
  if (keep_going()) add(read_rq_dsqs(kernel));
  if (!sched.is_null() && keep_going()) add(read_sched_dsqs(kernel, sched));
  snapshot.scx_walker_unavailable = unavailable(snapshot, unknown);
  return snapshot;
}

std::optional<std::string> ScxReader::unavailable(const ScxSnapshot& snapshot,
                                                  const std::optional<std::string>& unknown) const {
  if (!missing_groups_.empty())
    return fmt::format("scx walker partial: missing offset groups [{}]", fmt::join(missing_groups_, ", "));
  if (unknown) return unknown;
  if (!snapshot.scx_sched_state) return kReasonScxRootNull;
  if (snapshot.rq_scx_states.empty() && snapshot.dsq_states.empty()) return kReasonScxWalkerNoState;
  return std::nullopt;
}

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
      if (queue.present()) read_dsq(kernel, queue.address(*base), fmt::format("{} {}", name, cpu), walk);
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
      read_dsq(kernel, layouts_.pcpu->bypass_dsq.address(*base), fmt::format("bypass cpu {}", cpu), walk);
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
             fmt::format("global node {}", node), walk);
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
