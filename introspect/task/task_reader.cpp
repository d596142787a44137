#include "introspect/task/task_reader.h"

#include <algorithm>

#include "introspect/task/lock_slowpath.h"
#include "introspect/task/sched_class.h"
#include "introspect/task/state_letter.h"

namespace ktstr::introspect {
namespace {

/// DEFAULT_PRIO: the static priority of nice 0 (include/linux/sched/prio.h).
constexpr std::int32_t kDefaultPriority = 120;

/// include/uapi/linux/sched.h
constexpr std::string_view kPolicyNames[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",       "SCHED_BATCH",
                                             "SCHED_ISO",   "SCHED_IDLE", "SCHED_DEADLINE", "SCHED_EXT"};

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

}  // namespace ktstr::introspect
