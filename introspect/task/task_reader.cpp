#include "introspect/task/task_reader.h"

#include <algorithm>

#include "introspect/sched/captured.h"
#include "introspect/scx/text.h"
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

template <class Layout>
std::optional<Layout> resolve_optional(const Btf& btf) {
  auto layout = resolve_layout<Layout>(btf);
  return layout ? std::optional(std::move(*layout)) : std::nullopt;
}

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
  if (!kernel.translator().plausible_pointer(entry.task) || !bytes.capture(kernel, task_, entry.task))
    return Error{ErrorCode::kOutOfRange, "the task_struct can't be read"};
  TaskEnrichment task;
  task.task_kva = entry.task.value();
  task.pid = captured(task_.pid, bytes);
  task.tgid = captured(task_.tgid, bytes);
  task.comm = until_nul(captured(task_.comm, bytes));
  task.state =
      std::string(1, task_state_letter(captured(task_.state, bytes),
                                       static_cast<std::uint32_t>(captured(task_.exit_state, bytes))));
  task.nvcsw = captured(task_.nvcsw, bytes);
  task.nivcsw = captured(task_.nivcsw, bytes);
  read_relations(kernel, bytes, task);
  read_scheduling(kernel, bytes, task);
  if (scx_) {
    task.scx = scx_->read(kernel, entry);
    task.weight = scx_->weight(kernel, entry.task);
  }
  if (task.sched_class) task.pi_boosted_out_of_scx = entry.is_runnable_in_scx && *task.sched_class != "ext";
  if (entry.running_pc)
    if (const auto lock = lock_slowpath_at(kernel, *entry.running_pc)) task.lock_slowpath_match = *lock;
  return task;
}

void TaskReader::read_relations(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const {
  const auto& translator = kernel.translator();
  const KernelVirt leader = captured(task_.group_leader, bytes);
  if (translator.plausible_pointer(leader)) task.group_leader_pid = task_.pid.read(kernel, leader);
  const KernelVirt parent = captured(task_.real_parent, bytes);
  if (translator.plausible_pointer(parent)) {
    task.real_parent_pid = task_.pid.read(kernel, parent);
    task.ppid = task_.tgid.read(kernel, parent);
    if (const auto comm = task_.comm.read(kernel, parent)) task.real_parent_comm = until_nul(*comm);
  }
  const KernelVirt signal = captured(task_.signal, bytes);
  if (translator.plausible_pointer(signal)) read_signal(kernel, signal, task);
}

void TaskReader::read_signal(const Kernel& kernel, KernelVirt signal, TaskEnrichment& task) const {
  StructBytes bytes;
  if (!bytes.capture(kernel, signal_, signal)) return;
  task.nr_threads = captured(signal_.nr_threads, bytes);
  task.signal_nvcsw = captured(signal_.nvcsw, bytes);
  task.signal_nivcsw = captured(signal_.nivcsw, bytes);
  task.pgid = pid_number(kernel, captured(signal_.process_group, bytes));
  task.sid = pid_number(kernel, captured(signal_.session, bytes));
}

std::optional<std::int32_t> TaskReader::pid_number(const Kernel& kernel, KernelVirt pid) const {
  if (!kernel.translator().plausible_pointer(pid)) return std::nullopt;
  return upid_.number.read(kernel, pid_.numbers.address(pid));
}

void TaskReader::read_scheduling(const Kernel& kernel, const StructBytes& bytes, TaskEnrichment& task) const {
  task.prio = captured(task_.prio, bytes);
  task.static_prio = captured(task_.static_prio, bytes);
  task.normal_prio = captured(task_.normal_prio, bytes);
  task.rt_priority = captured(task_.rt_priority, bytes);
  task.nice = task.static_prio - kDefaultPriority;
  task.policy = captured(task_.policy, bytes);
  if (*task.policy < std::size(kPolicyNames)) task.policy_name = kPolicyNames[*task.policy];
  const auto named = classes_.find(captured(task_.sched_class, bytes));
  if (named != classes_.end()) task.sched_class = named->second;
  task.core_cookie = task_.core_cookie.read(bytes);
  task.cpu = task_.cpu.read(bytes);
  if (const auto on_cpu = task_.on_cpu.read(bytes)) task.on_cpu = *on_cpu != 0;
  if (const auto on_cpu = task_.on_cpu_int.read(bytes)) task.on_cpu = *on_cpu != 0;
  if (const auto on_rq = task_.on_rq.read(bytes)) task.on_rq = *on_rq != 0;
  if (const auto on_rq = task_.on_rq_int.read(bytes)) task.on_rq = *on_rq != 0;
  task.last_ran_ns = task_.last_arrival.read(bytes);
  task.run_time_ns = task_.run_time.read(bytes);
  const auto allowed = task_.cpus_ptr.read(bytes);
  if (!allowed || !kernel.translator().plausible_pointer(*allowed)) return;
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
