#include "engine/guest/short_turns.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstring>
#include <filesystem>
#include <string>

#include "engine/guest/init.h"
#include "engine/guest/urgency.h"

namespace ktstr::engine::guest {
namespace {

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
