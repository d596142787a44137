#include "introspect/monitor/thresholds.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/introspect/monitor/samples.h"

namespace ktstr::introspect {
namespace {
using namespace test;

MonitorVerdict judge(const std::vector<MonitorSample>& samples, MonitorThresholds thresholds = {},
                     EvaluationOptions options = {}) {
  return evaluate(samples, thresholds, options);
}

/// Two CPUs whose clocks advance; CPU 1 has nr_running(i) tasks, CPU 0 one.
std::vector<MonitorSample> imbalanced(std::initializer_list<std::uint32_t> tasks) {
  return series(tasks.size(), [&](auto i) {
    return std::vector{cpu(1, 10 + i), cpu(tasks.begin()[i], 20 + i)};
  });
}

std::vector<MonitorSample> stuck_cpu1(std::size_t count, std::uint32_t nr_running = 1) {
  return series(count, [&](auto i) { return std::vector{cpu(1, 100 + i), cpu(nr_running, 7)}; });
}

/// Fallback counts that grow by `per_interval` every 100 ms.
std::vector<MonitorSample> fallback_growth(std::size_t count, std::int64_t per_interval) {
  return series(count, [&](auto i) {
    return std::vector{with_events(cpu(1, 10 + i), static_cast<std::int64_t>(i) * per_interval, 0)};
  });
}

}  // namespace

TEST_CASE("the defaults are those that docs and scenarios rely on") {
  const MonitorThresholds defaults;
  CHECK(defaults.max_imbalance_ratio == 4.0);
  CHECK(defaults.max_local_dsq_depth == 50);
  CHECK(defaults.fail_on_stall);
  CHECK(defaults.sustained_samples == 5);
  CHECK(defaults.max_fallback_rate == 200.0);
  CHECK(defaults.max_keep_last_rate == 100.0);
  CHECK(EvaluationOptions{}.stall_threshold_ns() == 40'000'000);
}

TEST_CASE("no samples pass without having been judged") {
  const auto verdict = judge({});
  CHECK(verdict.passed);
  CHECK_FALSE(verdict.evaluated);
  CHECK(verdict.details.empty());
  CHECK(verdict.summary == "no monitor samples");
}

TEST_CASE("memory that was never written passes without having been judged") {
  const auto same_clocks = judge(series(9, [](auto) { return std::vector{cpu(90, 0), cpu(0, 0)}; }));
  CHECK(same_clocks.passed);
  CHECK_FALSE(same_clocks.evaluated);
  CHECK(same_clocks.summary == "monitor data not yet initialized");
  CHECK(judge({sample_at(0, {cpu(1, 1, 10'001)})}).summary == "monitor data not yet initialized");
}

TEST_CASE("quiet samples are OK") {
  const auto verdict = judge(imbalanced({1, 2, 1, 2, 4, 4, 4, 4, 4, 4}));
  CHECK(verdict.passed);
  CHECK(verdict.evaluated);
  CHECK(verdict.details.empty());
  CHECK(verdict.summary == "monitor OK");
}

TEST_CASE("an imbalance fails from the fifth sample on") {
  CHECK(judge(imbalanced({9, 9, 9, 9, 1, 9, 9, 9, 9})).passed);
  const auto verdict = judge(imbalanced({1, 9, 9, 8, 9, 5, 1}));
  CHECK_FALSE(verdict.passed);
  CHECK(verdict.evaluated);
  CHECK(verdict.summary == "monitor FAILED: 1 violation(s)");
  REQUIRE(verdict.details.size() == 1);
  CHECK(verdict.details[0] ==
        "imbalance ratio 5.0 exceeded threshold 4.0 for 5 consecutive samples (ending at sample 5)");
}

TEST_CASE("a sample without CPUs ends a run of violations") {
  auto samples = imbalanced({9, 9, 9, 9, 9, 9});
  samples[3].cpus.clear();
  CHECK(judge(samples).passed);
}

TEST_CASE("a deep local DSQ names its CPU and depth") {
  const auto samples = series(6, [](auto i) {
    return std::vector{cpu(1, 10 + i, 50), cpu(1, 20 + i, 51), cpu(1, 30 + i, i == 5 ? 52 : 0)};
  });
  const auto verdict = judge(samples);
  REQUIRE(verdict.details.size() == 1);
  CHECK(verdict.details[0] ==
        "local DSQ depth 52 on cpu2 exceeded threshold 50 for 6 consecutive samples (ending at sample 5)");
}

TEST_CASE("the CPU named is the one of the longest run, not of a later shorter one with the same depth") {
  const auto samples = series(8, [](auto i) {
    const std::uint32_t first = i < 5 ? 60 : 0;
    const std::uint32_t second = i == 7 ? 60 : 0;
    return std::vector{cpu(1, 10 + i, first), cpu(1, 20 + i, second)};
  });
  CHECK(judge(samples).details.at(0) ==
        "local DSQ depth 60 on cpu0 exceeded threshold 50 for 5 consecutive samples (ending at sample 4)");
}

TEST_CASE("a depth at the threshold is no violation, nor is an unknown one") {
  CHECK(judge(series(9, [](auto i) { return std::vector{cpu(1, i + 1, 50)}; })).passed);
  CHECK(judge(series(9, [](auto i) {
          auto fair = cpu(1, i + 1);
          fair.local_dsq_depth.reset();
          return std::vector{fair};
        })).passed);
}

TEST_CASE("a clock that stands still for five intervals fails") {
  CHECK(judge(stuck_cpu1(5)).passed);
  const auto verdict = judge(stuck_cpu1(6));
  REQUIRE(verdict.details.size() == 1);
  CHECK(verdict.details[0] ==
        "rq_clock stall on cpu1 for 5 consecutive samples (ending at sample 5, clock=7)");
}

TEST_CASE("a clock beyond a double's precision is told exactly") {
  const auto samples = series(6, [](auto i) {
    return std::vector{cpu(1, i + 1), cpu(1, 9'007'199'254'740'993)};
  });
  CHECK(judge(samples).details.at(0).ends_with("clock=9007199254740993)"));
}

TEST_CASE("an idle CPU's clock may stand still, and a stall can be tolerated") {
  CHECK(judge(stuck_cpu1(20, 0)).passed);
  MonitorThresholds tolerant;
  tolerant.fail_on_stall = false;
  CHECK(judge(stuck_cpu1(20), tolerant).passed);
}

TEST_CASE("a preempted vCPU's clock may stand still") {
  const auto samples_with = [](std::uint64_t ran_per_interval) {
    return series(8, [&](auto i) {
      return std::vector{cpu(1, 100 + i), with_time(cpu(1, 7), i * ran_per_interval)};
    });
  };
  CHECK(judge(samples_with(39'999'999)).passed);
  CHECK_FALSE(judge(samples_with(40'000'000)).passed);
}

TEST_CASE("an emulated clock may stand still for longer") {
  const EvaluationOptions emulated{KernelHz{250, ""}.preemption_threshold(), 10.0};
  CHECK(emulated.stall_threshold_ns() == 400'000'000);
  CHECK(judge(stuck_cpu1(8), {}, emulated).passed);
  const auto verdict = judge(stuck_cpu1(9), {}, emulated);
  CHECK(verdict.details.at(0) ==
        "rq_clock stall on cpu1 for 5 consecutive samples (ending at sample 8, clock=7)");
}

TEST_CASE("a senseless emulation factor counts as 1") {
  const auto threshold = KernelHz{250, ""}.preemption_threshold();
  CHECK(EvaluationOptions{threshold, 0.0}.stall_threshold_ns() == 40'000'000);
  CHECK(EvaluationOptions{threshold, std::nan("")}.stall_threshold_ns() == 40'000'000);
  CHECK(EvaluationOptions{threshold, INFINITY}.stall_threshold_ns() == 1'000'000'000'000'000'000);
  CHECK(EvaluationOptions{Duration(-1), 1.0}.stall_threshold_ns() == 0);
}

TEST_CASE("every stalled CPU has a sentence of its own") {
  const auto samples = series(7, [](auto i) { return std::vector{cpu(1, 5), cpu(1, 6), cpu(1, i + 1)}; });
  const auto verdict = judge(samples);
  CHECK(verdict.details.size() == 2);
  CHECK(verdict.summary == "monitor FAILED: 2 violation(s)");
}

TEST_CASE("a fallback rate above the threshold for five intervals fails") {
  CHECK(judge(fallback_growth(6, 20)).passed);
  CHECK(judge(fallback_growth(5, 21)).passed);
  const auto verdict = judge(fallback_growth(6, 21));
  REQUIRE(verdict.details.size() == 1);
  CHECK(verdict.details[0] ==
        "fallback rate 210.0/s exceeded threshold 200.0/s for 5 consecutive intervals (ending at sample 5)");
}

TEST_CASE("a keep_last rate above the threshold for five intervals fails") {
  const auto samples = series(6, [](auto i) {
    return std::vector{with_events(cpu(1, 10 + i), 0, static_cast<std::int64_t>(i) * 15)};
  });
  CHECK(judge(samples).details.at(0) ==
        "keep_last rate 150.0/s exceeded threshold 100.0/s for 5 consecutive intervals (ending at sample 5)");
}

TEST_CASE("a rate is measured over the interval's own length") {
  auto samples = fallback_growth(6, 21);
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i].elapsed_ns = i * 100'500'000, samples[i].elapsed_ms = i * 100;
  CHECK(judge(samples).details.at(0).starts_with("fallback rate 209.0/s"));
}

TEST_CASE("an interval of no length, without counters or with a reset ends a run of violations") {
  auto no_length = fallback_growth(9, 50);
  no_length[4].elapsed_ns = no_length[3].elapsed_ns;
  CHECK(judge(no_length).passed);
  auto no_counters = fallback_growth(9, 50);
  no_counters[4].cpus[0].event_counters.reset();
  CHECK(judge(no_counters).passed);
  auto reset = fallback_growth(9, 50);
  for (std::size_t i = 4; i < 9; ++i)
    *number_of(*reset[i].cpus[0].event_counters, "select_cpu_fallback") -= 200;
  CHECK(judge(reset).passed);
}

TEST_CASE("a replaced scheduler's rate is that of its own events") {
  auto samples = fallback_growth(6, 21);
  for (auto& sample : samples) sample.scheduler_instance = 1;
  auto& replaced = samples[5];
  replaced.scheduler_instance = 2;
  number_of(*replaced.cpus[0].event_counters, "select_cpu_fallback") = 19;
  CHECK(judge(samples).passed);
  number_of(*replaced.cpus[0].event_counters, "select_cpu_fallback") = 22;
  CHECK(judge(samples).details.at(0).starts_with("fallback rate 220.0/s"));
}

TEST_CASE("after a sample that could not tell its scheduler, no rate is that of all its events so far") {
  MonitorThresholds strict;
  strict.sustained_samples = 1;
  auto samples = fallback_growth(6, 1);
  for (auto& sample : samples) {
    sample.scheduler_instance = 1;
    *number_of(*sample.cpus[0].event_counters, "select_cpu_fallback") += 2'000'000;
  }
  samples[3].scheduler_instance.reset();
  samples[3].scheduler_unknown = true;
  samples[3].cpus[0].event_counters.reset();
  CHECK(judge(samples, strict).passed);
}

TEST_CASE("violations of different kinds are told in a fixed order") {
  const auto samples = series(8, [](auto i) {
    const auto count = static_cast<std::int64_t>(i) * 100;
    return std::vector{with_events(cpu(9, 10 + i, 99), count, count), cpu(1, 7)};
  });
  const auto verdict = judge(samples);
  REQUIRE(verdict.details.size() == 5);
  CHECK(verdict.details[0].starts_with("imbalance ratio 9.0"));
  CHECK(verdict.details[1].starts_with("local DSQ depth 99 on cpu0"));
  CHECK(verdict.details[2].starts_with("rq_clock stall on cpu1 for 7"));
  CHECK(verdict.details[3].starts_with("fallback rate 1000.0/s"));
  CHECK(verdict.details[4].starts_with("keep_last rate 1000.0/s"));
  CHECK(verdict.summary == "monitor FAILED: 5 violation(s)");
}

TEST_CASE("a window of one sample fails at once, one of none counts as one") {
  MonitorThresholds strict;
  strict.sustained_samples = 1;
  CHECK(judge(imbalanced({1, 9}), strict).details.size() == 1);
  strict.sustained_samples = 0;
  CHECK(judge(imbalanced({1, 1}), strict).passed);
  CHECK(judge(imbalanced({1, 9}), strict).details.size() == 1);
}

TEST_CASE("a single sample is judged by what one sample can show") {
  MonitorThresholds strict;
  strict.sustained_samples = 1;
  const auto verdict = judge({sample_at(0, {cpu(1, 1), cpu(9, 2)})}, strict);
  CHECK(verdict.details.size() == 1);
  CHECK(judge({sample_at(0, {cpu(1, 1), cpu(9, 2)})}).passed);
}

TEST_CASE("a CPU that is offline breaks no threshold, whatever was left on its run queue") {
  const auto samples = series(20, [](std::size_t i) {
    return std::vector{cpu(8, 1'000'000 * (i + 1)), cpu(8, 1'000'000 * (i + 1)), offline(cpu(1, 7, 5'000))};
  });
  const auto verdict = evaluate(samples, MonitorThresholds{}, {});
  INFO(verdict.summary);
  CHECK(verdict.passed);
  CHECK(verdict.summary == "monitor OK");
}

TEST_CASE("a run is sustained from its N-th consecutive violation on") {
  SustainedViolationTracker<int> tracker;
  CHECK_FALSE(tracker.sustained(1));
  tracker.record(true, 10, 0);
  tracker.record(true, 11, 1);
  CHECK(tracker.sustained(2));
  CHECK_FALSE(tracker.sustained(3));
  CHECK(tracker.consecutive() == 2);
}

TEST_CASE("a sample that meets the threshold ends the run but not the memory of it") {
  SustainedViolationTracker<int> tracker;
  tracker.record(true, 1, 0);
  tracker.record(true, 2, 1);
  tracker.record(false, 0, 2);
  tracker.record(true, 99, 3);
  CHECK(tracker.consecutive() == 1);
  CHECK(tracker.worst_run() == 2);
  CHECK(tracker.worst_value() == 2);
  CHECK(tracker.worst_at() == 1);
}

TEST_CASE("the worst value is the last one of the longest run, and of equal runs the first counts") {
  SustainedViolationTracker<int> tracker;
  CHECK(tracker.record(true, 50, 0));
  CHECK(tracker.record(true, 7, 1));
  CHECK_FALSE(tracker.record(false, 0, 2));
  CHECK_FALSE(tracker.record(true, 90, 3));
  CHECK_FALSE(tracker.record(true, 91, 4));
  CHECK(tracker.worst_value() == 7);
  CHECK(tracker.record(true, 92, 5));
  CHECK(tracker.worst_value() == 92);
  CHECK(tracker.worst_at() == 5);
}

TEST_CASE("a violation of zero is sustained by any series") {
  CHECK(SustainedViolationTracker<int>().sustained(0));
}

}  // namespace ktstr::introspect
