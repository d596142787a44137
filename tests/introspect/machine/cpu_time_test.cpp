#include "introspect/machine/cpu_time.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {

TEST_CASE("each CPU's times and interrupts are read where BTF has them") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  for (std::uint64_t i = 0; i < 10; ++i) {
    guest.write(guest.member(guest.cpustat(1), "kernel_cpustat", "cpustat") + i * 8, 100 + i);
    guest.write(guest.member(guest.kstat(1), "kernel_stat", "softirqs") + i * 4,
                static_cast<std::uint32_t>(200 + i));
  }
  guest.set(guest.kstat(1), "kernel_stat", "irqs_sum", std::uint64_t{300});

  const auto readings = CpuTimeReader::create(kernel).value().read(kernel);
  CHECK(readings.problems.empty());
  REQUIRE(readings.rows.size() == MachineGuest::kCpus);
  CHECK(readings.rows[0] == PerCpuTimeStats{});
  PerCpuTimeStats expected;
  expected.cpu = 1;
  expected.cpustat_user_ns = 100;
  expected.cpustat_nice_ns = 101;
  expected.cpustat_system_ns = 102;
  expected.cpustat_softirq_ns = 103;
  expected.cpustat_irq_ns = 104;
  expected.cpustat_idle_ns = 105;
  expected.cpustat_iowait_ns = 106;
  expected.cpustat_steal_ns = 107;
  expected.cpustat_guest_ns = 108;
  expected.cpustat_guest_nice_ns = 109;
  expected.softirqs = {200, 201, 202, 203, 204, 205, 206, 207, 208, 209};
  expected.irqs_sum = 300;
  CHECK(readings.rows[1] == expected);
}

TEST_CASE("an idle period that no counter holds yet is named by its start") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  guest.set(guest.cpustat(0), "kernel_cpustat", "idle_entrytime", std::uint64_t{777});
  guest.set(guest.cpustat(1), "kernel_cpustat", "idle_entrytime", std::uint64_t{888});
  guest.set(guest.cpustat(1), "kernel_cpustat", "idle_elapse", std::uint8_t{1});
  for (std::size_t cpu = 0; cpu < MachineGuest::kCpus; ++cpu) {  // another period, which nothing counts
    const KernelVirt tick = guest.per_cpu(guest.symbol("tick_cpu_sched"), cpu);
    guest.set(tick, "tick_sched", "flags", TickSchedLayout::kIdleActive);
    guest.set(tick, "tick_sched", "idle_entrytime", std::uint64_t{999});
  }
  const auto rows = CpuTimeReader::create(kernel).value().read(kernel).rows;
  CHECK_FALSE(rows[0].idle_since_ns.has_value());
  CHECK(rows[1].idle_since_ns == 888);
  CHECK_FALSE(rows[1].idle_sleeptime_ns.has_value());
  CHECK_FALSE(rows[1].iowait_sleeptime_ns.has_value());
}

TEST_CASE("kernels with idle periods in tick_sched have them apart from the ticks") {
  MachineGuest guest({.idle_in_cpustat = false, .irq_pressure = false});
  const auto kernel = guest.attach();
  const KernelVirt tick = guest.per_cpu(guest.symbol("tick_cpu_sched"), 1);
  guest.set(tick, "tick_sched", "flags", TickSchedLayout::kIdleActive | 1);
  guest.set(tick, "tick_sched", "idle_entrytime", std::uint64_t{5});
  guest.set(tick, "tick_sched", "idle_sleeptime", std::uint64_t{6});
  guest.set(tick, "tick_sched", "iowait_sleeptime", std::uint64_t{7});
  const auto rows = CpuTimeReader::create(kernel).value().read(kernel).rows;
  CHECK(rows[0].idle_sleeptime_ns == 0);
  CHECK_FALSE(rows[0].idle_since_ns.has_value());
  CHECK(rows[1].idle_sleeptime_ns == 6);
  CHECK(rows[1].iowait_sleeptime_ns == 7);
  CHECK(rows[1].idle_since_ns == 5);
}

TEST_CASE("a CPU whose area can't be read has no row") {
  MachineGuest guest;
  guest.write(guest.symbol("__per_cpu_offset") + 8, std::uint64_t{0x1000'0000'0000});
  const auto kernel = guest.attach();
  const auto readings = CpuTimeReader::create(kernel).value().read(kernel);
  REQUIRE(readings.rows.size() == 1);
  CHECK(readings.rows[0].cpu == 0);
  CHECK(readings.problems == std::vector<std::string>{"cpu1: kernel_cpustat can't be read"});
}

}  // namespace ktstr::introspect::test
