// What a machine's vCPUs did: the hardware's counters and KVM's statistics.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr {
namespace vmm {

/// Raw counts of one vCPU, and for how much of the time that they were wanted they were taken: the hardware
/// has fewer counters than there are events, and the kernel gives them out in turn.
struct CounterReading {
  std::optional<std::uint64_t> cycles, instructions, cache_misses, branch_misses;
  std::uint64_t enabled_ns = 0, running_ns = 0;
};

struct HardwareCounters {
  std::optional<std::uint64_t> cycles{}, instructions{}, cache_misses{}, branch_misses{};
  bool scaled = false;
  friend bool operator==(const HardwareCounters&, const HardwareCounters&) = default;
};

/// What `count` would have been, had it been taken all the time; absent when it never was.
[[nodiscard]] std::optional<std::uint64_t> scale_count(std::uint64_t count, std::uint64_t enabled_ns,
                                                       std::uint64_t running_ns);

/// From one reading to a later one of the same vCPU.
[[nodiscard]] HardwareCounters counted_between(const CounterReading& earlier, const CounterReading& later);

/// Numbers that only grow. Their names are KVM's own (kvm_vcpu_stats_desc in arch/x86/kvm/x86.c and
/// KVM_GENERIC_VCPU_STATS in include/linux/kvm_host.h): this kernel's KVM lacks those that are absent.
struct KvmVcpuStatistics {
  std::optional<std::uint64_t> exits{}, halt_exits{}, io_exits{}, mmio_exits{}, irq_exits{}, signal_exits{},
      request_irq_exits{}, irq_window_exits{}, nmi_window_exits{};
  std::optional<std::uint64_t> irq_injections{}, nmi_injections{};
  std::optional<std::uint64_t> halt_attempted_poll{}, halt_successful_poll{}, halt_poll_invalid{},
      halt_wakeup{};
  std::optional<std::uint64_t> halt_poll_success_ns{}, halt_poll_fail_ns{}, halt_wait_ns{};
  std::optional<std::uint64_t> pf_fixed{}, hypercalls{}, preemption_reported{};
  friend bool operator==(const KvmVcpuStatistics&, const KvmVcpuStatistics&) = default;
};

/// A machine's own, at one instant (kvm_vm_stats_desc).
struct KvmVmStatistics {
  std::optional<std::uint64_t> pages_4k{}, pages_2m{}, pages_1g{};
  friend bool operator==(const KvmVmStatistics&, const KvmVmStatistics&) = default;
};

struct VcpuReading {
  std::optional<CounterReading> counters;  ///< since the machine was first asked for them
  KvmVcpuStatistics kvm;                   ///< since the machine's start
};

/// One reading of a whole machine.
struct MachineStatistics {
  std::vector<VcpuReading> vcpus;
  KvmVmStatistics vm;
  std::optional<std::string> counters_problem;  ///< why no vCPU has counters
  std::optional<std::string> kvm_problem;       ///< why there are no statistics of KVM's
};

/// Those values that have the name of a field.
template <DescribedRecord Statistics>
[[nodiscard]] Statistics pick_statistics(const std::map<std::string, std::uint64_t, std::less<>>& values) {
  Statistics picked;
  for_each_field<Statistics>([&](const auto& field) {
    if (const auto found = values.find(field.name); found != values.end())
      picked.*field.member = found->second;
  });
  return picked;
}

/// What was added from one reading to a later one; absent where either lacks it.
[[nodiscard]] KvmVcpuStatistics added_between(const KvmVcpuStatistics& earlier,
                                              const KvmVcpuStatistics& later);

}  // namespace vmm

// clang-format off
template <> inline constexpr auto describe<vmm::HardwareCounters> = record<vmm::HardwareCounters>("HardwareCounters", "what the hardware counted while a vCPU ran its guest; the host's part is left out",
    field("cycles", &vmm::HardwareCounters::cycles, "cycles of the core"),
    field("instructions", &vmm::HardwareCounters::instructions, "instructions that were completed"),
    field("cache_misses", &vmm::HardwareCounters::cache_misses, "accesses that the last-level cache did not have"),
    field("branch_misses", &vmm::HardwareCounters::branch_misses, "branches that were predicted wrong"),
    field("scaled", &vmm::HardwareCounters::scaled, "whether they were counted part of the time, and are estimates for all of it"));
template <> inline constexpr auto describe<vmm::KvmVcpuStatistics> = record<vmm::KvmVcpuStatistics>("KvmVcpuStatistics", "KVM's statistics of a vCPU, by KVM's names; absent: not in this kernel",
    field("exits", &vmm::KvmVcpuStatistics::exits, "times that the guest was left, for whatever reason"),
    field("halt_exits", &vmm::KvmVcpuStatistics::halt_exits, "times that the guest's CPU halted, idle"),
    field("io_exits", &vmm::KvmVcpuStatistics::io_exits, "accesses to ports"),
    field("mmio_exits", &vmm::KvmVcpuStatistics::mmio_exits, "accesses to devices' registers in memory"),
    field("irq_exits", &vmm::KvmVcpuStatistics::irq_exits, "the guest was left for an interrupt of the host"),
    field("signal_exits", &vmm::KvmVcpuStatistics::signal_exits, "the guest was left for a signal, such as a freeze's"),
    field("request_irq_exits", &vmm::KvmVcpuStatistics::request_irq_exits, "the guest was left because user space had an interrupt for it"),
    field("irq_window_exits", &vmm::KvmVcpuStatistics::irq_window_exits, "the guest was left when it would take an interrupt again"),
    field("nmi_window_exits", &vmm::KvmVcpuStatistics::nmi_window_exits, "the guest was left when it would take an NMI again"),
    field("irq_injections", &vmm::KvmVcpuStatistics::irq_injections, "interrupts given to the guest"),
    field("nmi_injections", &vmm::KvmVcpuStatistics::nmi_injections, "NMIs given to the guest"),
    field("halt_attempted_poll", &vmm::KvmVcpuStatistics::halt_attempted_poll, "halts at which KVM polled for work"),
    field("halt_successful_poll", &vmm::KvmVcpuStatistics::halt_successful_poll, "of these, polls that found some"),
    field("halt_poll_invalid", &vmm::KvmVcpuStatistics::halt_poll_invalid, "of those, polls whose find gave the guest nothing to do"),
    field("halt_wakeup", &vmm::KvmVcpuStatistics::halt_wakeup, "halts that slept and were woken"),
    field("halt_poll_success_ns", &vmm::KvmVcpuStatistics::halt_poll_success_ns, "time in polls that found work, ns"),
    field("halt_poll_fail_ns", &vmm::KvmVcpuStatistics::halt_poll_fail_ns, "time in polls that found none, ns"),
    field("halt_wait_ns", &vmm::KvmVcpuStatistics::halt_wait_ns, "time asleep in halts, ns"),
    field("pf_fixed", &vmm::KvmVcpuStatistics::pf_fixed, "page faults at which KVM mapped guest memory"),
    field("hypercalls", &vmm::KvmVcpuStatistics::hypercalls, "hypercalls"),
    field("preemption_reported", &vmm::KvmVcpuStatistics::preemption_reported, "times that the guest was told its CPU had been taken away"));
template <> inline constexpr auto describe<vmm::KvmVmStatistics> = record<vmm::KvmVmStatistics>("KvmVmStatistics", "KVM's statistics of the machine, by KVM's names; absent: not in this kernel",
    field("pages_4k", &vmm::KvmVmStatistics::pages_4k, "guest memory mapped by pages of 4 KiB, pages"),
    field("pages_2m", &vmm::KvmVmStatistics::pages_2m, "guest memory mapped by pages of 2 MiB, pages"),
    field("pages_1g", &vmm::KvmVmStatistics::pages_1g, "guest memory mapped by pages of 1 GiB, pages"));
// clang-format on

}  // namespace ktstr
