// MonitorThread: takes a sample at every period, beside the run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/monitor/sample_series.h"

namespace ktstr::engine {

/// CPU time of a thread of any process. Reads /proc/TID/schedstat (Documentation/scheduler/sched-stats.rst:
/// time spent on the CPU, ns), because a CPU clock of another process's thread may not be read
/// (posix_cpu_timers.c: pid_for_clock()).
class ThreadClock {
 public:
  /// A clock that reads nothing.
  ThreadClock() = default;
  /// `tid` in our PID namespace.
  explicit ThreadClock(int tid);

  /// CPU time so far, ns; absent when the thread is gone or the host's kernel keeps no schedstat.
  [[nodiscard]] std::optional<std::uint64_t> read() const;

 private:
  Fd file_;
};

/// From when on samples were farther apart, so that they do not take more than they may.
struct SlowerSampling {
  std::uint64_t elapsed_ns = 0;
  std::uint64_t period_ns = 0;
};

/// What a monitor's thread brought home.
struct Samples {
  introspect::SampleSeries samples;
  std::vector<SlowerSampling> slower;
  std::uint64_t missed_periods = 0;  ///< sampling times that passed before the sample before was done
  std::uint64_t failed_samples = 0;
  std::optional<std::string> first_failure{};
};

struct MonitorThreadOptions {
  Duration period = std::chrono::milliseconds(100);
  /// The zero of sample times: the machine's start.
  std::chrono::steady_clock::time_point epoch;
  /// Host threads that each run one vCPU; absent where there is no such thread.
  std::vector<std::optional<int>> vcpu_tids{};
  std::uint64_t max_bytes = std::uint64_t{1} << 30;
};

/// Samples at absolute times: start, start + period, start + 2 periods ... A sample that takes longer
/// than the period makes the times missed meanwhile count as missed, never catch up. Samples are kept in
/// memory, in a compact form. When half of max_bytes is used the period doubles, and again when half of what
/// was left is used, and so on: every sample that is taken is kept, and there are some to the end however
/// long the run is.
class MonitorThread {
 public:
  /// As introspect::Sampler::sample. Called from the thread only; what it refers to must outlive the
  /// MonitorThread.
  using Sample = std::function<Result<introspect::MonitorSample>(
      Duration elapsed, std::span<const std::optional<std::uint64_t>> cpu_times_ns)>;

  MonitorThread(MonitorThreadOptions options, Sample sample);
  /// Stops and joins.
  ~MonitorThread();
  MonitorThread(const MonitorThread&) = delete;
  MonitorThread& operator=(const MonitorThread&) = delete;

  /// Shows what was sampled so far. Waits for a sample that is being taken; the next one waits for `look`.
  void look_at_samples(const std::function<void(const introspect::SampleSeries&)>& look) const;

  /// Ends the thread, at the latest after the sample being taken, and gives what it took. Once.
  [[nodiscard]] Samples stop();

 private:
  void run(const std::stop_token& stop);
  void take_sample();
  void keep(const introspect::MonitorSample& sample);

  MonitorThreadOptions options_;
  Duration period_;
  std::uint64_t slower_at_bytes_;
  Sample sample_;
  std::vector<ThreadClock> clocks_;
  std::vector<std::optional<std::uint64_t>> cpu_times_ns_;
  Samples taken_;
  mutable std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  ///< last: it uses everything above
};

}  // namespace ktstr::engine
