#include "introspect/task/task_reader.h"

#include <algorithm>

#include "introspect/task/task_names.h"

namespace ktstr::introspect {
namespace {

/// DEFAULT_PRIO: the static priority of nice 0 (include/linux/sched/prio.h).
constexpr std::int32_t kDefaultPriority = 120;

/// include/uapi/linux/sched.h
constexpr std::string_view kPolicyNames[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
                                             "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE", "SCHED_EXT"};

/// SCX_OPSS_STATE_MASK: above it, ops_state holds a sequence number (kernel/sched/ext_internal.h).
constexpr std::uint64_t kOpsStateMask = 3;

}  // namespace

Result<TaskReader> TaskReader::create(const Kernel& kernel) {
  const Btf& btf = kernel.btf();
  TaskReader reader;
  KTSTR_TRY(resolve_all(btf, {&reader.task_, &reader.signal_, &reader.list_.task, &reader.list_.signal,
                              &reader.pid_, &reader.upid_}));
  if (auto scx = TaskScxReader::create(kernel)) reader.scx_ = std::move(*scx);
  reader.classes_ = sched_classes(kernel);
  return reader;
}

Result<TaskEnrichment> TaskReader::read(const Kernel& kernel, const TaskWalkerEntry& entry) const {
  StructBytes bytes;
  if (!kernel.plausible_pointer(entry.task) || !bytes.capture(kernel, task_, entry.task))
    return Error{ErrorCode::kOutOfRange, "the task_struct can't be read"};
  TaskEnrichment task;
  task.task_kva = entry.task.value();
  task_.fill(bytes, task);
  task.state = std::string(
      1, task_state_letter(task_.state.of(bytes), static_cast<std::uint32_t>(task_.exit_state.of(bytes))));
  read_relations(kernel, bytes, task);
  read_scheduling(kernel, bytes, task);
  if (scx_ && task.scx) {
    scx_->complete(kernel, entry, task_, bytes, *task.scx);
  } else {
    task.scx.reset();
    task.weight.reset();
  }
  if (task.sched_class) task.pi_boosted_out_of_scx = entry.is_runnable_in_scx && *task.sched_class != "ext";
  if (entry.running_pc)
    if (const auto lock = lock_slowpath_at(kernel, *entry.running_pc)) task.lock_slowpath_match = *lock;
  return task;
}

void TaskReader::read_relations(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const {
  const KernelVirt leader = task_.group_leader.of(bytes);
  if (kernel.plausible_pointer(leader))
    task.group_leader_pid = task_.read<&TaskEnrichment::pid>(kernel, leader);
  const KernelVirt parent = task_.real_parent.of(bytes);
  if (kernel.plausible_pointer(parent)) {
    task.real_parent_pid = task_.read<&TaskEnrichment::pid>(kernel, parent);
    task.ppid = task_.read<&TaskEnrichment::tgid>(kernel, parent);
    task.real_parent_comm = task_.read<&TaskEnrichment::comm>(kernel, parent);
  }
  const KernelVirt signal = task_.signal.of(bytes);
  if (kernel.plausible_pointer(signal)) read_signal(kernel, signal, task);
}

void TaskReader::read_signal(const Kernel& kernel, KernelVirt signal, TaskEnrichment& task) const {
  StructBytes bytes;
  if (!bytes.capture(kernel, signal_, signal)) return;
  signal_.fill(bytes, task);
  task.pgid = pid_number(kernel, signal_.process_group.of(bytes));
  task.sid = pid_number(kernel, signal_.session.of(bytes));
}

std::optional<std::int32_t> TaskReader::pid_number(const Kernel& kernel, KernelVirt pid) const {
  if (!kernel.plausible_pointer(pid)) return std::nullopt;
  return upid_.number.read(kernel, pid_.numbers.address(pid));
}

void TaskReader::read_scheduling(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const {
  task.nice = task.static_prio - kDefaultPriority;
  if (task.policy && *task.policy < std::size(kPolicyNames)) task.policy_name = kPolicyNames[*task.policy];
  const auto named = classes_.find(task_.sched_class.of(bytes));
  if (named != classes_.end()) task.sched_class = named->second;
  const auto allowed = task_.cpus_ptr.read(bytes);
  if (!allowed || !kernel.plausible_pointer(*allowed)) return;
  if (const auto cpus = kernel.read_cpu_mask(*allowed)) task.cpus_allowed = cpus->to_string();
}

TaskEnrichments TaskReader::read_all(const Kernel& kernel, std::span<const TaskWalkerEntry> entries,
                                     const std::function<bool()>& keep_going) const {
  TaskEnrichments all;
  all.total = entries.size();
  for (const auto& entry : entries.first(std::min(entries.size(), kMaxEnrichedTasks))) {
    if (!keep_going()) {
      all.truncated = true;
      break;
    }
    if (auto task = read(kernel, entry))
      all.tasks.push_back(std::move(*task));
    else
      ++all.unreadable;
  }
  all.truncated = all.truncated || entries.size() > kMaxEnrichedTasks;
  if (all.tasks.empty()) all.unavailable = kReasonTaskWalkerZeroTasks;
  return all;
}

Result<TaskScxReader> TaskScxReader::create(const Kernel& kernel) {
  TaskScxReader reader;
  const Btf& btf = kernel.btf();
  KTSTR_TRY(reader.dsq_.resolve(btf));
  const auto mask = [&](const char* name) {
    return static_cast<std::uint32_t>(btf.enumerator(name).value_or(0));
  };
  reader.state_mask_ = mask("SCX_TASK_STATE_MASK");
  const std::uint32_t fields = reader.state_mask_ | mask("SCX_TASK_REENQ_REASON_MASK");
  reader.flags_ = FlagNames(btf, "scx_ent_flags", "SCX_TASK_", ~fields);
  reader.name_states(btf);
  reader.ops_states_ = btf.enumerators("scx_ops_state");
  reader.jiffies_ = kernel.known_address("jiffies_64");
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

void TaskScxReader::complete(const Kernel& kernel, const TaskWalkerEntry& entry, const TaskLayout& layout,
                             const StructBytes& bytes, TaskScxState& state) const {
  state.flag_names = flags_.names_of(state.flags);
  if (const auto found = states_.find(state.flags & state_mask_); found != states_.end())
    state.state = found->second;
  if (const auto ops_state = layout.scx_ops_state.read(bytes))
    state.ops_state =
        name_of(ops_states_, static_cast<std::int64_t>(*ops_state & kOpsStateMask), "SCX_OPSS_");
  if (const auto dsq = layout.scx_dsq.read(bytes); dsq && kernel.plausible_pointer(*dsq)) {
    state.dsq_kva = dsq->value();
    state.dsq_id = dsq_.read<&DsqState::id>(kernel, *dsq);
  }
  const auto now = jiffies_ ? kernel.read<std::uint64_t>(*jiffies_) : std::nullopt;
  if (entry.is_runnable_in_scx && now && state.runnable_at)
    state.runnable_for_jiffies = static_cast<std::int64_t>(*now - *state.runnable_at);
}

}  // namespace ktstr::introspect
