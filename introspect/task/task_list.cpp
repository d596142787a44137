#include "introspect/task/task_list.h"

#include <algorithm>
#include <unordered_set>

#include "introspect/walk/list.h"

namespace ktstr::introspect {
namespace {

class TaskListWalk {
 public:
  TaskListWalk(const Kernel& kernel, const TaskListLayout& layout, std::size_t cap)
      : kernel_(kernel), layout_(layout), cap_(cap), places_left_(2 * cap + 64) {}

  TaskList from(KernelVirt init_task) && {
    const auto leaders = walk_list(kernel_.translator(), layout_.task.tasks.address(init_task), cap_);
    if (leaders.end == WalkEnd::kTruncated)
      list_.truncated = true;
    else if (!leaders.complete())
      list_.problems.push_back("list of processes: " + std::string(leaders.reason));
    for (const KernelVirt node : leaders.items)
      if (!list_.truncated) read_process(node - layout_.task.tasks.offset());
    return std::move(list_);
  }

 private:
  void read_process(KernelVirt leader) {
    const auto signal = layout_.task.signal.read(kernel_, leader);
    if (!signal || !kernel_.plausible_pointer(*signal)) {
      add(leader);
      return tell(leader, "its signal_struct can't be found");
    }
    const auto threads = walk_list(kernel_.translator(), layout_.signal.thread_head.address(*signal),
                                   std::min(cap_, places_left_));
    places_left_ -= threads.items.size();
    for (const KernelVirt node : threads.items) add(node - layout_.task.thread_node.offset());
    if (threads.items.empty()) add(leader);
    if (threads.end == WalkEnd::kTruncated || places_left_ == 0)
      list_.truncated = true;
    else if (!threads.complete())
      tell(leader, threads.reason);
  }

  void add(KernelVirt task) {
    if (!seen_.insert(task).second) return;
    if (list_.tasks.size() == cap_)
      list_.truncated = true;
    else
      list_.tasks.push_back(task);
  }

  void tell(KernelVirt leader, std::string_view why) {
    if (list_.problems.size() < kMaxProblems)
      list_.problems.push_back("threads of the process at " + std::to_string(leader.value()) + ": " +
                               std::string(why));
  }

  static constexpr std::size_t kMaxProblems = 16;  ///< one damaged slab would otherwise fill the report

  const Kernel& kernel_;
  const TaskListLayout& layout_;
  std::size_t cap_;
  std::size_t places_left_;  ///< processes that share one thread list would otherwise be as many walks of it
  TaskList list_;
  std::unordered_set<KernelVirt> seen_;
};

}  // namespace

Result<TaskList> list_tasks(const Kernel& kernel, const TaskListLayout& layout, std::size_t cap) {
  const KernelVirt init_task = KTSTR_TRY(kernel.address("init_task"));
  return TaskListWalk(kernel, layout, cap).from(init_task);
}

std::vector<TaskWalkerEntry> task_entries(std::span<const KernelVirt> tasks,
                                          std::span<const std::uint64_t> runnable,
                                          const std::map<KernelVirt, KernelVirt>& running,
                                          std::span<const KernelVirt> queued) {
  std::vector<TaskWalkerEntry> entries;
  std::unordered_set<KernelVirt> seen;
  std::unordered_set<KernelVirt> on_list;
  for (const std::uint64_t task : runnable) on_list.insert(KernelVirt(task));
  const auto add = [&](KernelVirt task) {
    if (!seen.insert(task).second) return;
    const auto pc = running.find(task);
    entries.push_back(
        {task, on_list.contains(task), pc == running.end() ? std::nullopt : std::optional(pc->second)});
  };
  for (const std::uint64_t task : runnable) add(KernelVirt(task));
  const std::unordered_set<KernelVirt> listed(tasks.begin(), tasks.end());
  for (const auto& [task, pc] : running)
    if (listed.contains(task)) add(task);
  for (const KernelVirt task : queued)
    if (listed.contains(task)) add(task);
  for (const KernelVirt task : tasks) add(task);
  return entries;
}

}  // namespace ktstr::introspect
