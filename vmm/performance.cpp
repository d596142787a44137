#include "vmm/performance.h"

#include <fmt/format.h>
#include <sched.h>

#include <limits>

namespace ktstr::vmm {
Status check_performance(const PerformanceOptions& options) {
  static const int lowest = ::sched_get_priority_min(SCHED_FIFO);
  static const int highest = ::sched_get_priority_max(SCHED_FIFO);
  if (const auto priority = options.realtime_priority;
      priority && (*priority < lowest || *priority > highest))
    return invalid_argument(
        fmt::format("realtime priority {}: SCHED_FIFO has {} to {}", *priority, lowest, highest));
  // KVM_CAP_HALT_POLL takes an unsigned int (Documentation/virt/kvm/api.rst, 7.21).
  constexpr Duration kLongest(std::numeric_limits<std::uint32_t>::max());
  if (options.halt_poll && (options.halt_poll->ns < 0 || *options.halt_poll > kLongest))
    return invalid_argument(fmt::format("halt polling of {}: KVM takes 0s to {}",
                                        format_duration(*options.halt_poll), format_duration(kLongest)));
  if (options.dedicated_cpus && !(options.pin_vcpus && options.realtime_priority))
    return invalid_argument("only vCPUs that are pinned and have realtime priority are dedicated");
  return ok();
}

PerformanceOptions full_performance() {
  PerformanceOptions all;
  all.pin_vcpus = all.dedicated_cpus = all.huge_pages = all.prefault = true;
  all.realtime_priority = kLowestRealtimePriority;
  return all;
}

PerformanceOptions performance_of_fork(const PerformanceOptions& options) {
  PerformanceOptions kept;
  kept.dedicated_cpus = options.dedicated_cpus;
  kept.halt_poll = options.halt_poll;
  return kept;
}

std::optional<std::string> not_on_qemu(const PerformanceOptions& options) {
  if (options.pin_vcpus) return "pinned vCPUs";
  if (options.realtime_priority) return "vCPUs with realtime priority";
  if (options.dedicated_cpus) return "dedicated CPUs";
  if (options.halt_poll) return "limits of halt polling";
  return std::nullopt;
}

}  // namespace ktstr::vmm
