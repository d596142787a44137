// MonitorReport: everything that the monitor has to say of a run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "introspect/monitor/sample_series.h"
#include "introspect/monitor/summary.h"
#include "introspect/monitor/thresholds.h"
#include "introspect/sched/cpu_snapshot.h"

namespace ktstr::introspect {

/// Filled by the monitor's thread and the verdict. failed_samples could not be taken at all; first_failure
/// says why the first.
struct MonitorReport {
  std::uint64_t period_ns = 0;
  std::uint64_t preemption_threshold_ns = 0;
  double emulation_factor = 1;
  std::uint32_t kernel_hz = 0;
  std::string kernel_hz_source;
  std::vector<std::string> other_event_names;
  std::vector<MissingCapability> missing;
  std::uint64_t failed_samples = 0;
  std::optional<std::string> first_failure;
  SampleSeries samples;
  MonitorSummary summary;
  MonitorVerdict verdict;

  static consteval auto describe() {
    using T = MonitorReport;
    return record(
        "what was seen from outside the guest", field<&T::period_ns>("time between samples, ns"),
        field<&T::preemption_threshold_ns>(
            "time that a vCPU must have run before its run queue clock is expected to move, ns"),
        field<&T::emulation_factor>("how many times longer than that an emulated clock may stand still"),
        field<&T::kernel_hz>("CONFIG_HZ of the guest's kernel, ticks/s"),
        field<&T::kernel_hz_source>("where CONFIG_HZ was found"),
        field<&T::other_event_names>("names of the counters in event_counters.other"),
        field<&T::missing>("what this kernel does not let us see"),
        field<&T::failed_samples>("samples that could not be taken"),
        field<&T::first_failure>("why the first of them could not"), field<&T::samples>("in order of time"),
        field<&T::summary>("the samples in a few numbers"),
        field<&T::verdict>("the samples judged against the thresholds"));
  }
};

}  // namespace ktstr::introspect
