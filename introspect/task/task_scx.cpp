#include "introspect/task/task_scx.h"

namespace ktstr::introspect {
namespace {

/// SCX_OPSS_STATE_MASK: above it, ops_state holds a sequence number (kernel/sched/ext_internal.h).
constexpr std::uint64_t kOpsStateMask = 3;

std::uint32_t mask_of(const Btf& btf, std::string_view enumerator) {
  return static_cast<std::uint32_t>(btf.enumerator(enumerator).value_or(0));
}

}  // namespace

Result<TaskScxReader> TaskScxReader::create(const Kernel& kernel) {
  TaskScxReader reader;
  const Btf& btf = kernel.btf();
  KTSTR_TRY(reader.dsq_.resolve(btf));
  reader.state_mask_ = mask_of(btf, "SCX_TASK_STATE_MASK");
  const std::uint32_t fields = reader.state_mask_ | mask_of(btf, "SCX_TASK_REENQ_REASON_MASK");
  reader.flags_ = FlagNames(btf, "scx_ent_flags", "SCX_TASK_", ~fields);
  reader.name_states(btf);
  reader.ops_states_ = btf.enumerators("scx_ops_state");
  if (const auto jiffies = kernel.address("jiffies_64")) reader.jiffies_ = *jiffies;
  return reader;
}

/// Up to 7.0 the states are an enum of their own, to be shifted; then they are enumerators among the flags.
void TaskScxReader::name_states(const Btf& btf) {
  constexpr std::string_view kPrefix = "SCX_TASK_";
  const auto separate = btf.enumerators("scx_task_state");
  const auto shift = separate.empty() ? 0 : btf.enumerator("SCX_TASK_STATE_SHIFT").value_or(0);
  for (const auto& [name, value] : separate.empty() ? btf.enumerators("scx_ent_flags") : separate) {
    const auto bits = static_cast<std::uint32_t>(value) << (shift & 31);
    if ((bits & ~state_mask_) == 0 && name.starts_with(kPrefix) && !name.ends_with("_MASK"))
      states_.try_emplace(bits, name.substr(kPrefix.size()));
  }
}

std::optional<std::string> TaskScxReader::state_name(std::uint32_t flags) const {
  const auto found = states_.find(flags & state_mask_);
  return found == states_.end() ? std::nullopt : std::optional(found->second);
}

void TaskScxReader::complete(const Kernel& kernel, const TaskWalkerEntry& entry, const TaskLayout& layout,
                             const StructBytes& bytes, TaskScxState& state) const {
  state.flag_names = flags_.names_of(state.flags);
  state.state = state_name(state.flags);
  if (const auto ops_state = layout.scx_ops_state.read(bytes))
    state.ops_state =
        name_of(ops_states_, static_cast<std::int64_t>(*ops_state & kOpsStateMask), "SCX_OPSS_");
  if (const auto dsq = layout.scx_dsq.read(bytes); dsq && kernel.plausible_pointer(*dsq)) {
    state.dsq_kva = dsq->value();
    state.dsq_id = dsq_.read<&DsqState::id>(kernel, *dsq);
  }
  state.runnable_for_jiffies = runnable_for(kernel, entry, state.runnable_at);
}

std::optional<std::int64_t> TaskScxReader::runnable_for(const Kernel& kernel, const TaskWalkerEntry& entry,
                                                        std::optional<std::uint64_t> since) const {
  const auto now = jiffies_ ? kernel.read<std::uint64_t>(*jiffies_) : std::nullopt;
  if (!entry.is_runnable_in_scx || !now || !since) return std::nullopt;
  return static_cast<std::int64_t>(*now - *since);
}

}  // namespace ktstr::introspect
