#include "vmm/vcpu_statistics.h"

#include <doctest/doctest.h>

namespace ktstr::vmm {

TEST_CASE("a count is scaled by the time that it was not taken, without rounding through doubles") {
  CHECK(scale_count(100, 10, 10) == 100);
  CHECK(scale_count(100, 40, 10) == 400);
  CHECK(scale_count(10, 3, 2) == 15);
  CHECK(scale_count((1ULL << 60) + 1, 4, 2) == (1ULL << 61) + 2);
  CHECK(scale_count(0, 40, 10) == 0);
}

TEST_CASE("a count that was never taken is absent, as one that no number holds") {
  CHECK(scale_count(100, 10, 0) == std::nullopt);
  CHECK(scale_count(0, 0, 0) == std::nullopt);
  CHECK(scale_count(UINT64_MAX, UINT64_MAX, 1) == std::nullopt);
}

TEST_CASE("an interval is scaled by its own times, not by those since the beginning") {
  const CounterReading earlier{.cycles = 1000,
                               .instructions = 10,
                               .cache_misses = {},
                               .branch_misses = 7,
                               .enabled_ns = 100,
                               .running_ns = 100};
  CounterReading later = earlier;
  later.cycles = 1500;
  later.instructions = 20;
  later.branch_misses = 5;
  later.enabled_ns = 300;
  later.running_ns = 150;
  CHECK(counted_between(earlier, later) ==
        HardwareCounters{
            .cycles = 2000, .instructions = 40, .cache_misses = {}, .branch_misses = {}, .scaled = true});
}

TEST_CASE("an interval in which nothing ran has no counts, and is not called scaled") {
  const CounterReading reading{.cycles = 1000,
                               .instructions = 10,
                               .cache_misses = 1,
                               .branch_misses = 1,
                               .enabled_ns = 100,
                               .running_ns = 100};
  CHECK(counted_between(reading, reading) == HardwareCounters{});
}

TEST_CASE("statistics are picked by their fields' names, and what KVM lacks is absent") {
  const auto picked =
      pick_statistics<KvmVcpuStatistics>({{"exits", 7}, {"halt_wakeup", 3}, {"l1d_flush", 1}});
  KvmVcpuStatistics expected;
  expected.exits = 7;
  expected.halt_wakeup = 3;
  CHECK(picked == expected);
}

TEST_CASE("what was added is a difference of values that both readings have") {
  const KvmVcpuStatistics earlier{.exits = 10, .halt_exits = 4};
  const KvmVcpuStatistics later{.exits = 25, .halt_exits = {}, .io_exits = 5};
  const auto added = added_between(earlier, later);
  CHECK(added == KvmVcpuStatistics{.exits = 15});
}

}  // namespace ktstr::vmm
