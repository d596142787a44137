#include "engine/guest/urgent_kernel_threads.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "engine/guest/kernel_file.h"
#include "engine/guest/urgency.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kMostProcBytes = 64 << 10;
constexpr pid_t kKthreadd = 2;
/// rcu_preempt, rcu_sched, rcu_exp_*, rcu_tasks_* (kernel/rcu/), scx_enable_helper, sched_ext_helper
/// (kernel/sched/ext.c).
constexpr std::string_view kNames[] = {"rcu_", "scx_enable", "sched_ext"};

bool is_needed(pid_t pid) {
  if (pid == kKthreadd) return true;  // makes the helper of each scheduler
  const auto comm = read_file("/proc/" + std::to_string(pid) + "/comm", kMostProcBytes);
  if (!comm) return false;
  if (comm->text == "kthreadd\n") return true;  // new, and has no name of its own yet
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return comm->text.starts_with(name); });
}

/// The number of the thread that was made last, which costs less than a look at all: the last word.
std::string last_made() {
  const auto load = read_file("/proc/loadavg", kMostProcBytes);
  return load ? load->text.substr(load->text.rfind(' ') + 1) : std::string();
}

/// Without CONFIG_PROC_CHILDREN none but kthreadd.
std::vector<pid_t> kernel_threads() {
  std::vector<pid_t> threads{kKthreadd};
  const auto children = read_file("/proc/2/task/2/children", kMostProcBytes);
  std::istringstream list(children ? children->text : std::string());
  for (pid_t pid = 0; list >> pid;) threads.push_back(pid);
  return threads;
}

}  // namespace

UrgentKernelThreads::UrgentKernelThreads() {
  look();
}

void UrgentKernelThreads::look() {
  if (!is_urgency_due()) return;
  if (auto last = last_made(); std::exchange(last_made_, last) == last && !last.empty()) return;
  for (const auto pid : kernel_threads())
    if (seen_.insert(pid).second) hasten(pid);
}

void UrgentKernelThreads::hasten(pid_t pid) {
  const sched_param urgent{static_cast<int>(kLoaderPriority)};
  Former former{pid, ::sched_getscheduler(pid), {}};
  if (!is_needed(pid) || former.policy < 0 || ::sched_getparam(pid, &former.param) < 0) return;
  if (::sched_setscheduler(pid, SCHED_FIFO, &urgent) == 0) changed_.push_back(former);
}

/// A thread whose policy the kernel has set since keeps that.
UrgentKernelThreads::~UrgentKernelThreads() {
  for (const auto& former : changed_)
    if (is_urgent(former.pid))
      static_cast<void>(::sched_setscheduler(former.pid, former.policy, &former.param));
}

}  // namespace ktstr::engine::guest
