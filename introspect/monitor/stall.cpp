#include "introspect/monitor/stall.h"

#include <algorithm>

#include "introspect/monitor/counter.h"

namespace ktstr::introspect {

bool is_cpu_stalled(const CpuSnapshot& before, const CpuSnapshot& now, std::uint64_t threshold_ns) {
  if (now.rq_clock == 0 || now.rq_clock != before.rq_clock) return false;
  if (before.offline || now.offline) return false;
  if (before.nr_running == 0 && now.nr_running == 0) return false;
  if (before.vcpu_cpu_time_ns && now.vcpu_cpu_time_ns)
    return counter_delta(*now.vcpu_cpu_time_ns, *before.vcpu_cpu_time_ns) >= threshold_ns;
  return true;
}

bool StallWalker::old_enough(std::size_t candidate) const {
  return counter_delta(samples_[now_]->elapsed_ns, samples_[candidate]->elapsed_ns) >= threshold_ns_;
}

bool StallWalker::next() {
  while (now_ + 1 < samples_.size()) {
    ++now_;
    while (before_ + 1 < now_ && old_enough(before_ + 1)) ++before_;
    if (old_enough(before_)) return true;
  }
  return false;
}

std::size_t StallWalker::cpus() const {
  return std::min(samples_[before_]->cpus.size(), samples_[now_]->cpus.size());
}

bool StallWalker::is_stalled(std::size_t cpu) const {
  return is_cpu_stalled(samples_[before_]->cpus[cpu], samples_[now_]->cpus[cpu], threshold_ns_);
}

}  // namespace ktstr::introspect
