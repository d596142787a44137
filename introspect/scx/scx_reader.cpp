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

}  // namespace ktstr::introspect
