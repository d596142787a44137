// HostPlacement: where on this host a machine's vCPUs run and its memory lies.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "vmm/guest_ram.h"
#include "vmm/performance.h"
#include "vmm/pin_plan.h"
#include "vmm/topology.h"

namespace ktstr::vmm::kvm {

class HostPlacement {
 public:
  /// Looks at the host where `options` ask for something. vCPUs with realtime priority leave a CPU to the
  /// other threads, which would starve otherwise. Errors: those of check_performance(), read_host_topology()
  /// and plan_pinning().
  [[nodiscard]] static Result<HostPlacement> plan(const PerformanceOptions& options,
                                                  const Topology& topology);

  [[nodiscard]] const PerformanceOptions& options() const { return options_; }
  /// How the machine's memory is made.
  [[nodiscard]] RamOptions ram() const;

  /// Puts vCPU i's thread, threads[i], on its CPU and gives it its priority. Errors: kUnavailable, naming the
  /// right that is missing, or a thread that never came up; kIo.
  [[nodiscard]] Status place(std::span<const std::optional<int>> threads) const;

  /// What was had, by a machine with `ram`.
  [[nodiscard]] MachinePerformance performance(const GuestRam& ram) const;

 private:
  PerformanceOptions options_;
  PinPlan pins_;  ///< empty when nothing is pinned; without nodes where the host has one alone
};

}  // namespace ktstr::vmm::kvm
