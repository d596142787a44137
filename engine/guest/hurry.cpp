#include "engine/guest/hurry.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "engine/guest/init.h"
#include "engine/guest/kernel_file.h"
#include "engine/guest/urgency.h"
#include "engine/scenario/placement.h"

namespace ktstr::engine::guest {
namespace {

constexpr char kRcuExpedited[] = "/sys/kernel/rcu_expedited";
constexpr std::size_t kMostProcBytes = 64 << 10;
constexpr pid_t kKthreadd = 2;
/// rcu_preempt, rcu_sched, rcu_exp_*, rcu_tasks_* (kernel/rcu/), scx_enable_helper, sched_ext_helper
/// (kernel/sched/ext.c).
constexpr std::string_view kThreadNames[] = {"rcu_", "scx_enable", "sched_ext"};

bool is_needed(pid_t pid) {
  if (pid == kKthreadd) return true;  // makes the helper of each scheduler
  const auto comm = read_file("/proc/" + std::to_string(pid) + "/comm", kMostProcBytes);
  if (!comm) return false;
  if (comm->text == "kthreadd\n") return true;  // new, and has no name of its own yet
  return std::any_of(std::begin(kThreadNames), std::end(kThreadNames),
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
  for (const auto pid : pids_in(children ? children->text : std::string())) threads.push_back(pid);
  return threads;
}

constexpr std::uint64_t kTurnNs = 100'000;
/// More would be asked for longer than they help.
constexpr std::size_t kMostTimers = 1024;

/// The name that QEMU's emulator has in the hypervisor's leaf of CPUID (target/i386/cpu.c).
bool is_emulated() {
#if defined(__x86_64__)
  constexpr unsigned kHypervisorBit = 1U << 31, kHypervisorLeaf = 0x40000000;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kHypervisorBit) == 0) return false;
  __cpuid(kHypervisorLeaf, a, b, c, d);
  char name[12];
  std::memcpy(name, &b, 4);
  std::memcpy(name + 4, &c, 4);
  std::memcpy(name + 8, &d, 4);
  return std::memcmp(name, "TCGTCGTCGTCG", sizeof name) == 0;
#else
  return false;
#endif
}

Fd start_timer(int cgroup, int cpu) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.sample_period = kTurnNs;
  return Fd(static_cast<int>(::syscall(SYS_perf_event_open, &attributes, cgroup, cpu, -1,
                                       PERF_FLAG_FD_CLOEXEC | PERF_FLAG_PID_CGROUP)));
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

ExpeditedGracePeriods::ExpeditedGracePeriods() {
  if (!is_urgency_due()) return;
  const auto former = read_file(kRcuExpedited, kMostProcBytes);
  if (former && write_control(kRcuExpedited, "1")) former_ = former->text;
}

ExpeditedGracePeriods::~ExpeditedGracePeriods() {
  if (!former_.empty()) static_cast<void>(write_control(kRcuExpedited, former_));
}

/// A cgroup's event counts what is below it too, so those at the top suffice.
ShortTurns::ShortTurns() {
  const auto cpus = static_cast<int>(::sysconf(_SC_NPROCESSORS_CONF));
  if (!is_urgency_due() || cpus < 2 || !is_emulated()) return;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(kCgroupRoot, gone)) {
    if (!entry.is_directory(gone)) continue;
    const Fd cgroup(::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int cpu = 0; cgroup && cpu < cpus && timers_.size() < kMostTimers; ++cpu)
      if (auto timer = start_timer(cgroup.get(), cpu)) timers_.push_back(std::move(timer));
  }
}

}  // namespace ktstr::engine::guest
