#include "engine/guest/urgency.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/guest/kernel_file.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kMostTasks = 4096;
constexpr std::size_t kMostChildrenBytes = 64 << 10;
/// Threads that are made while others are changed inherit the former policy: looked for again.
constexpr int kMostPasses = 8;

std::vector<pid_t> threads_of(pid_t pid) {
  std::vector<pid_t> threads;
  const auto path = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
  while (const auto* entry = directory ? ::readdir(directory.get()) : nullptr)
    for (const auto tid : pids_in(entry->d_name)) threads.push_back(tid);
  return threads;
}

/// Every thread of the process and of its descendants. Without CONFIG_PROC_CHILDREN it has no descendants.
std::vector<pid_t> threads_of_tree(pid_t root) {
  std::vector<pid_t> processes{root}, threads;
  for (std::size_t i = 0; i < processes.size() && threads.size() < kMostTasks; ++i)
    for (const auto tid : threads_of(processes[i])) {
      threads.push_back(tid);
      const auto children =
          read_file(fmt::format("/proc/{}/task/{}/children", processes[i], tid), kMostChildrenBytes);
      if (!children) continue;
      const auto found = pids_in(children->text);
      processes.insert(processes.end(), found.begin(), found.end());
    }
  return threads;
}

bool is_loader(int policy, int priority) {
  return policy == SCHED_FIFO && priority == static_cast<int>(kLoaderPriority);
}

/// Gives every thread for which `applies` the policy, until a pass finds none.
void change(pid_t root, int policy, int priority, const std::function<bool(int, int)>& applies) {
  bool changed = true;
  for (int pass = 0; changed && pass < kMostPasses; ++pass) {
    changed = false;
    for (const auto tid : threads_of_tree(root)) {
      sched_param present{};
      const int now = ::sched_getscheduler(tid);
      if (now < 0 || ::sched_getparam(tid, &present) < 0 || !applies(now, present.sched_priority)) continue;
      const sched_param wanted{priority};
      changed = ::sched_setscheduler(tid, policy, &wanted) == 0 || changed;
    }
  }
}

}  // namespace

bool is_urgency_due() {
  return ::sched_getscheduler(0) == SCHED_FIFO;
}

bool is_urgent(pid_t tid) {
  sched_param present{};
  const int policy = ::sched_getscheduler(tid);
  return policy >= 0 && ::sched_getparam(tid, &present) == 0 && is_loader(policy, present.sched_priority);
}

void make_urgent(pid_t pid) {
  change(pid, SCHED_FIFO, static_cast<int>(kLoaderPriority),
         [](int policy, int priority) { return policy >= 0 && priority == 0; });
}

void make_ordinary(pid_t pid) {
  change(pid, SCHED_OTHER, 0, is_loader);
}

}  // namespace ktstr::engine::guest
