#include "engine/report/vcpu_report.h"

#include <doctest/doctest.h>

#include "engine/report/text.h"
#include "tests/engine/report/sample_report.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;

namespace {

/// After `seconds` of running: everything grows in proportion.
vmm::VcpuReading reading(std::uint64_t seconds) {
  vmm::VcpuReading reading;
  reading.counters = vmm::CounterReading{.cycles = seconds * 3'000'000'000,
                                         .instructions = seconds * 1'500'000'000,
                                         .cache_misses = seconds * 10,
                                         .branch_misses = {},
                                         .enabled_ns = seconds * 1'000'000'000,
                                         .running_ns = seconds * 1'000'000'000};
  reading.kvm.exits = seconds * 1000;
  reading.kvm.halt_exits = seconds * 100;
  reading.kvm.halt_attempted_poll = seconds * 40;
  reading.kvm.halt_successful_poll = seconds * 30;
  reading.kvm.irq_injections = seconds * 250;
  return reading;
}

vmm::MachineStatistics statistics(std::uint64_t seconds) {
  return {.vcpus = {reading(seconds), reading(2 * seconds)},
          .vm = {.pages_4k = seconds},
          .counters_problem = {},
          .kvm_problem = {}};
}

VcpuStatisticsReport sample_statistics() {
  return vcpu_report(statistics(3), statistics(5), 2'000'000'000);
}

}  // namespace

TEST_CASE("a report of vCPUs has what was added, and the machine's memory as it is at the end") {
  const auto report = sample_statistics();
  CHECK(report.interval_ns == 2'000'000'000);
  REQUIRE(report.vcpus.size() == 2);
  CHECK(report.vcpus[1].vcpu == 1);
  CHECK(report.vcpus[1].kvm.exits == 4000);
  CHECK(report.vcpus[1].kvm.hypercalls == std::nullopt);
  REQUIRE(report.vcpus[0].counters.has_value());
  CHECK(report.vcpus[0].counters->cycles == 6'000'000'000);
  CHECK(report.vcpus[0].counters->branch_misses == std::nullopt);
  CHECK(report.vm.pages_4k == 5);
}

TEST_CASE("one line sums up all vCPUs") {
  CHECK(vcpus_text(sample_statistics()) ==
        "\nvCPUs  6000 exits (3000 a second), 600 halts, 75 % of 240 polls found work, 1500 interrupts; "
        "1.8e+10 cycles, 0.50 instructions a cycle\n");
}

TEST_CASE("what is absent is not in the line, which is absent when all is") {
  auto later = statistics(5);
  later.counters_problem = "this host has no hardware counters for guests";
  for (auto& vcpu : later.vcpus) vcpu.counters.reset();
  later.vcpus[0].kvm.halt_exits.reset();
  later.vcpus[1].kvm.halt_attempted_poll.reset();
  const auto report = vcpu_report(statistics(3), later, 2'000'000'000);
  CHECK_FALSE(report.vcpus[0].counters.has_value());
  CHECK(report.counters_problem == "this host has no hardware counters for guests");
  CHECK(vcpus_text(report) == "\nvCPUs  6000 exits (3000 a second), 1500 interrupts\n");
  CHECK(vcpus_text(VcpuStatisticsReport{}).empty());
}

TEST_CASE("counts that were taken part of the time are called so") {
  auto report = sample_statistics();
  report.vcpus[1].counters->scaled = true;
  CHECK(vcpus_text(report).ends_with("instructions a cycle (counted part of the time)\n"));
}

TEST_CASE("the text report has the line, and tells where what the machine had") {
  auto report = passing_report();
  report.vcpu_statistics = sample_statistics();
  report.machine.performance = vmm::MachinePerformance{.vcpu_cpus = {0, 2},
                                                       .node_memory = {"0"},
                                                       .realtime_priority = 1,
                                                       .dedicated_cpus = true,
                                                       .halt_poll_ns = 200'000,
                                                       .ram_pages = vmm::RamPages::kReserved,
                                                       .prefaulted = true};
  const auto text = to_text(report, {});
  CHECK(text.find("\nvCPUs  6000 exits") != std::string::npos);
  CHECK(text.find("sustained_samples), pinned to CPUs 0 2, realtime priority 1, halt polling 200us, huge "
                  "pages (reserved), "
                  "prefaulted\n") != std::string::npos);
}
