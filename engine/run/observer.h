// Observer: the run queues of one machine, watched from outside for as long as it lives.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "engine/kernels/kernel_store.h"
#include "engine/observe/exit_watch.h"
#include "engine/observe/monitor_thread.h"
#include "engine/report/run_report.h"
#include "introspect/kernel.h"
#include "introspect/monitor/event_timeline.h"
#include "introspect/monitor/sampler.h"
#include "introspect/span_memory.h"
#include "vmm/machine.h"

namespace ktstr::engine {

struct ObserverOptions {
  Duration period = std::chrono::milliseconds(100);
  std::chrono::steady_clock::time_point epoch;  ///< the machine's start
};

class Observer {
 public:
  /// Stops the vCPUs for a moment to read their registers, finds the kernel in memory and begins to sample.
  /// The machine must outlive the observer. Errors: the machine can't be frozen or thawed; Kernel::attach;
  /// Sampler::create.
  [[nodiscard]] static Result<std::unique_ptr<Observer>> attach(
      vmm::Machine& machine, std::shared_ptr<const introspect::KernelDebugInfo> debug_info,
      const ObserverOptions& options);

  [[nodiscard]] const introspect::Kernel& kernel() const { return *kernel_; }

  /// Why schedulers ended in an error since the last call, oldest first; nothing on a kernel without
  /// sched_ext.
  [[nodiscard]] std::vector<SchedulerExitReport> exit_records();

  /// Writes the timeout of the kernel's watchdog over the loaded scheduler into guest memory, rounded up to
  /// ticks of `hz`, and reads it back. Errors: introspect/scx/watchdog.h.
  [[nodiscard]] Result<WatchdogReport> set_watchdog(std::uint32_t hz, Duration timeout);

  /// sched_ext's event counters by sample, so far. From any thread, until stop().
  [[nodiscard]] std::vector<introspect::EventCounterSample> event_timeline() const;

  /// Ends all watching; the kernel can still be read. Gives the samples and what goes with them; summary and
  /// verdict are left to the judge. Once.
  void stop(introspect::MonitorReport& report, SamplingReport& sampling);

 private:
  Observer(vmm::Machine& machine, const ObserverOptions& options);
  [[nodiscard]] Status find_kernel(std::shared_ptr<const introspect::KernelDebugInfo> debug_info);
  [[nodiscard]] Status begin();

  vmm::Machine& machine_;
  ObserverOptions options_;
  introspect::SpanMemory memory_;
  std::optional<introspect::Kernel> kernel_;
  std::optional<introspect::Sampler> sampler_;
  std::unique_ptr<ExitWatch> exit_watch_;  ///< none on a kernel without sched_ext
  std::optional<MonitorThread> thread_;    ///< last: it uses everything above
};

}  // namespace ktstr::engine
