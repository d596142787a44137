// Samples for the tests of the monitor's rules.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "introspect/monitor/sample_series.h"

namespace ktstr::introspect::test {

/// The preemption threshold of the rules under test, ns.
constexpr std::uint64_t kThreshold = 40'000'000;

/// A CPU with a plausible, shallow local DSQ.
inline CpuSnapshot cpu(std::uint32_t nr_running, std::uint64_t rq_clock, std::uint32_t dsq_depth = 0) {
  CpuSnapshot snapshot;
  snapshot.nr_running = nr_running;
  snapshot.rq_clock = rq_clock;
  snapshot.local_dsq_depth = dsq_depth;
  return snapshot;
}

inline CpuSnapshot offline(CpuSnapshot snapshot) {
  snapshot.offline = true;
  return snapshot;
}

inline CpuSnapshot with_time(CpuSnapshot snapshot, std::uint64_t vcpu_cpu_time_ns) {
  snapshot.vcpu_cpu_time_ns = vcpu_cpu_time_ns;
  return snapshot;
}

inline CpuSnapshot with_events(CpuSnapshot snapshot, std::optional<std::int64_t> fallback,
                               std::optional<std::int64_t> keep_last = std::nullopt) {
  snapshot.event_counters.emplace();
  number_of(*snapshot.event_counters, "select_cpu_fallback") = fallback;
  number_of(*snapshot.event_counters, "dispatch_keep_last") = keep_last;
  return snapshot;
}

inline MonitorSample sample_at(std::int64_t ms, std::vector<CpuSnapshot> cpus) {
  auto sample = MonitorSample::at(std::chrono::milliseconds(ms));
  sample.cpus = std::move(cpus);
  return sample;
}

inline std::vector<MonitorSample> listed(const SampleSeries& samples) {
  std::vector<MonitorSample> list;
  for (const auto& sample : samples) list.push_back(sample);
  return list;
}

/// `count` samples, 100 ms apart, with the CPUs that `cpus_of(i)` gives.
inline std::vector<MonitorSample> series(
    std::size_t count, const std::function<std::vector<CpuSnapshot>(std::size_t)>& cpus_of) {
  std::vector<MonitorSample> samples;
  for (std::size_t i = 0; i < count; ++i)
    samples.push_back(sample_at(static_cast<std::int64_t>(i) * 100, cpus_of(i)));
  return samples;
}

}  // namespace ktstr::introspect::test
