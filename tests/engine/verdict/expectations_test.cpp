#include "engine/verdict/expectations.h"

#include <doctest/doctest.h>

#include "engine/verdict/expectations.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;

TEST_CASE("nothing stated gives the defaults") {
  const auto limits = worker_limits({}, 0);
  CHECK(limits.no_starvation);
  CHECK(limits.max_spread_pct == 15);
  CHECK(limits.max_gap == Duration(2s));
  CHECK_FALSE(limits.isolation);
  CHECK_FALSE(limits.max_throughput_cv);
  CHECK_FALSE(limits.min_work_rate);
  CHECK_FALSE(limits.max_p99_wake_latency);
  CHECK_FALSE(limits.max_wake_latency_cv);
  CHECK_FALSE(limits.min_iteration_rate);
  CHECK_FALSE(limits.max_migration_ratio);
}

TEST_CASE("emulation stretches how long something may last, and no share of CPU time") {
  const auto limits = worker_limits({}, 4);
  CHECK(limits.max_gap == Duration(8s));
  CHECK(limits.max_spread_pct == 15);
  CHECK(limits.max_unfairness_pct == 50);
  CHECK(limits.blur == Duration(300ms));
  CHECK(worker_limits({}, 0).blur == Duration{});
  CHECK(worker_limits({}, 1).blur == Duration{});
}

TEST_CASE("emulation leaves a stated limit alone") {
  const Expectations stated{.max_spread_pct = 5, .max_gap = Duration(100ms)};
  const auto limits = worker_limits(stated, 4);
  CHECK(limits.max_spread_pct == 5);
  CHECK(limits.max_gap == Duration(100ms));
}

TEST_CASE("limits that are stated, and defaults that are stretched, are named") {
  const Expectations stated{.max_gap = Duration(1s), .monitor = {.fail_on_stall = false}};
  CHECK(stated_limits(stated) == std::vector<std::string>{"max_gap", "monitor.fail_on_stall"});
  CHECK(stretched_limits(stated) ==
        std::vector<std::string>{"max_scheduler_gap", "monitor.sustained_samples"});
  CHECK(stated_limits({}).empty());
  CHECK(stretched_limits({}) ==
        std::vector<std::string>{"max_gap", "max_scheduler_gap", "monitor.sustained_samples"});
  CHECK(stretched_limits({.monitor = {.sustained_samples = 3}, .max_scheduler_gap = Duration(1s)}) ==
        std::vector<std::string>{"max_gap"});
}

TEST_CASE("the last layer that sets a member wins") {
  const Expectations scheduler{
      .no_starvation = false, .max_gap = Duration(1s), .monitor = {.fail_on_stall = false}};
  const Expectations scenario{
      .max_gap = Duration(3s), .isolation = true, .monitor = {.max_imbalance_ratio = 8}};
  const auto merged = overlay(scheduler, scenario);
  CHECK(merged.no_starvation == false);
  CHECK(merged.max_gap == Duration(3s));
  CHECK(merged.isolation == true);
  CHECK(merged.monitor.fail_on_stall == false);
  CHECK(merged.monitor.max_imbalance_ratio == 8);
  CHECK_FALSE(merged.max_spread_pct);
}

TEST_CASE("monitor thresholds are introspect's unless stated") {
  const introspect::MonitorThresholds defaults;
  const auto limits = monitor_thresholds({}, false);
  CHECK(limits.max_imbalance_ratio == defaults.max_imbalance_ratio);
  CHECK(limits.max_local_dsq_depth == defaults.max_local_dsq_depth);
  CHECK(limits.fail_on_stall);
  CHECK(limits.sustained_samples == 5);
  CHECK(limits.max_fallback_rate == defaults.max_fallback_rate);
  CHECK(limits.max_keep_last_rate == defaults.max_keep_last_rate);

  const auto stated = monitor_thresholds({.monitor = {.max_imbalance_ratio = 8,
                                                      .max_local_dsq_depth = 9,
                                                      .fail_on_stall = false,
                                                      .max_fallback_rate = 10,
                                                      .max_keep_last_rate = 11}},
                                         false);
  CHECK(stated.max_imbalance_ratio == 8);
  CHECK(stated.max_local_dsq_depth == 9);
  CHECK_FALSE(stated.fail_on_stall);
  CHECK(stated.max_fallback_rate == 10);
  CHECK(stated.max_keep_last_rate == 11);
}

TEST_CASE("under emulation a violation must last longer, unless it is stated how long") {
  CHECK(monitor_thresholds({}, true).sustained_samples == 20);
  CHECK(monitor_thresholds({.monitor = {.sustained_samples = 3}}, true).sustained_samples == 3);
}
