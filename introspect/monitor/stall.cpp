#include "introspect/monitor/stall.h"

#include <algorithm>
#include <ranges>

#include "introspect/monitor/counter.h"

namespace ktstr::introspect {

bool is_cpu_stalled(const ClockReading& before, const ClockReading& now, std::uint64_t threshold_ns) {
  if (now.rq_clock == 0 || now.rq_clock != before.rq_clock) return false;
  if (before.offline || now.offline) return false;
  if (before.nr_running == 0 && now.nr_running == 0) return false;
  if (before.vcpu_cpu_time_ns && now.vcpu_cpu_time_ns)
    return counter_delta(*now.vcpu_cpu_time_ns, *before.vcpu_cpu_time_ns) >= threshold_ns;
  return true;
}

bool StallWatch::old_enough(const Instant& candidate) const {
  return counter_delta(now_->elapsed_ns, candidate.elapsed_ns) >= threshold_ns_;
}

bool StallWatch::add(const MonitorSample& sample) {
  if (now_) earlier_.push_back(std::move(*now_));
  now_ = Instant{sample.elapsed_ns, {sample.cpus.begin(), sample.cpus.end()}};
  while (earlier_.size() > 1 && old_enough(earlier_[1])) earlier_.pop_front();
  return !earlier_.empty() && old_enough(earlier_.front());
}

std::size_t StallWatch::cpus() const {
  return std::min(earlier_.front().cpus.size(), now_->cpus.size());
}

bool StallWatch::is_stalled(std::size_t cpu) const {
  return is_cpu_stalled(earlier_.front().cpus[cpu], now_->cpus[cpu], threshold_ns_);
}

bool StallWatch::any_stalled() const {
  return std::ranges::any_of(std::views::iota(std::size_t{0}, cpus()),
                             [this](std::size_t cpu) { return is_stalled(cpu); });
}

}  // namespace ktstr::introspect
