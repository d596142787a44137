// Sampler: one look at every CPU of a guest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/kernel.h"
#include "introspect/monitor/sample.h"
#include "introspect/sched/cpu_snapshot.h"
#include "introspect/sched/domains.h"
#include "introspect/sched/events.h"
#include "introspect/sched/rq.h"

namespace ktstr::introspect {

struct SamplerOptions {
  /// Scheduling domains are read with every n-th sample, the first included; 0: never.
  std::uint32_t domains_every = 0;
};

/// Takes samples of an attached kernel. Layouts and addresses are resolved once; a sample is then one memory
/// read per CPU, one more per CPU while a sched_ext scheduler is loaded, and the domains when they are due.
/// Its time is bounded whatever the guest has in memory. For one thread at a time; movable. The kernel must
/// outlive it.
class Sampler {
 public:
  /// Errors: kNotFound, the kernel has no run queues that we know how to read; kUnavailable, its CPU numbers
  /// have holes. What else is missing turns one capability off: missing().
  [[nodiscard]] static Result<Sampler> create(const Kernel& kernel, const SamplerOptions& options = {});

  /// Samples CPUs 0 to the highest that was online at create(). `elapsed`: since the machine's start.
  /// `vcpu_cpu_times_ns[i]`: CPU time of the thread that runs vCPU i alone, absent where there is no such
  /// thread; may be shorter than the number of CPUs. Error (kOutOfRange): a run queue can't be read, so there
  /// is no sample. Less than that (counters of a scheduler that leaves, domains in the middle of a rebuild)
  /// is absent from the sample and told in its `problems`.
  [[nodiscard]] Result<MonitorSample> sample(
      Duration elapsed, std::span<const std::optional<std::uint64_t>> vcpu_cpu_times_ns = {});

  [[nodiscard]] std::size_t cpus() const { return run_queues_.size(); }
  /// Names of ScxEventCounters::other; empty when the kernel has no event counters.
  [[nodiscard]] std::vector<std::string> other_event_names() const;
  /// What this kernel does not let us see, as of the last sample.
  [[nodiscard]] std::vector<MissingCapability> missing() const;

 private:
  explicit Sampler(const Kernel& kernel, SamplerOptions options) : kernel_(&kernel), options_(options) {}

  [[nodiscard]] Status find_run_queues();
  void find_optional_parts();
  void note_offline(MonitorSample& sample) const;
  [[nodiscard]] Status sample_run_queues(MonitorSample& sample);
  void sample_events(MonitorSample& sample);
  [[nodiscard]] Status read_events(MonitorSample& sample);
  void sample_domains(MonitorSample& sample);
  void note_scheduler(const std::optional<EventSource>& source, MonitorSample& sample);

  const Kernel* kernel_;
  SamplerOptions options_;
  RqLayout rq_layout_;
  std::vector<KernelVirt> run_queues_;  ///< by CPU number
  std::vector<KernelVirt> domains_;     ///< rq->sd of the current sample, by CPU number
  StructBytes rq_bytes_;
  SchedstatsSwitch schedstats_switch_;
  bool counting_ = false;
  std::optional<EventReader> events_;
  std::optional<DomainReader> domain_reader_;
  std::vector<MissingCapability> missing_;
  std::optional<KernelVirt>
      last_scheduler_;  ///< the root that the last sample saw; nullopt when none was loaded
  std::uint32_t scheduler_instances_ = 0;
  std::uint64_t samples_ = 0;
};

}  // namespace ktstr::introspect
