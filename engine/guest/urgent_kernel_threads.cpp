#include "engine/guest/urgent_kernel_threads.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

#include "engine/guest/kernel_file.h"
#include "engine/guest/urgency.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kMostBytes = 64 << 10;
constexpr pid_t kKthreadd = 2;
/// rcu_preempt, rcu_sched, rcu_exp_*, rcu_tasks_* (kernel/rcu/), scx_enable_helper, sched_ext_helper
/// (kernel/sched/ext.c).
constexpr std::string_view kNames[] = {"rcu_", "scx_enable", "sched_ext"};

bool is_needed(pid_t pid) {
  if (pid == kKthreadd) return true;  // makes the helper of each scheduler
  const auto comm = read_file("/proc/" + std::to_string(pid) + "/comm", kMostBytes);
  return comm && std::any_of(std::begin(kNames), std::end(kNames),
                             [&](std::string_view name) { return comm->text.starts_with(name); });
}

/// Without CONFIG_PROC_CHILDREN none but kthreadd.
std::vector<pid_t> kernel_threads() {
  std::vector<pid_t> threads{kKthreadd};
  const auto children = read_file("/proc/2/task/2/children", kMostBytes);
  std::istringstream list(children ? children->text : std::string());
  for (pid_t pid = 0; list >> pid;) threads.push_back(pid);
  return threads;
}

}  // namespace

UrgentKernelThreads::UrgentKernelThreads() {
  if (!is_urgency_due()) return;
  const sched_param urgent{static_cast<int>(kLoaderPriority)};
  for (const auto pid : kernel_threads()) {
    Former former{pid, ::sched_getscheduler(pid), {}};
    if (!is_needed(pid) || former.policy < 0 || ::sched_getparam(pid, &former.param) < 0) continue;
    if (::sched_setscheduler(pid, SCHED_FIFO, &urgent) == 0) changed_.push_back(former);
  }
}

UrgentKernelThreads::~UrgentKernelThreads() {
  for (const auto& former : changed_)
    static_cast<void>(::sched_setscheduler(former.pid, former.policy, &former.param));
}

}  // namespace ktstr::engine::guest
