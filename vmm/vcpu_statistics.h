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

  static consteval auto describe() {
    using T = HardwareCounters;
    return record(
        "what the hardware counted while a vCPU ran its guest; the host's part is left out",
        field<&T::cycles>("cycles of the core"), field<&T::instructions>("instructions that were completed"),
        field<&T::cache_misses>("accesses that the last-level cache did not have"),
        field<&T::branch_misses>("branches that were predicted wrong"),
        field<&T::scaled>("whether they were counted part of the time, and are estimates for all of it"));
  }
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

  static consteval auto describe() {
    using T = KvmVcpuStatistics;
    return record(
        "KVM's statistics of a vCPU, by KVM's names; absent: not in this kernel",
        field<&T::exits>("times that the guest was left, for whatever reason"),
        field<&T::halt_exits>("times that the guest's CPU halted, idle"),
        field<&T::io_exits>("accesses to ports"),
        field<&T::mmio_exits>("accesses to devices' registers in memory"),
        field<&T::irq_exits>("the guest was left for an interrupt of the host"),
        field<&T::signal_exits>("the guest was left for a signal, such as a freeze's"),
        field<&T::request_irq_exits>("the guest was left because user space had an interrupt for it"),
        field<&T::irq_window_exits>("the guest was left when it would take an interrupt again"),
        field<&T::nmi_window_exits>("the guest was left when it would take an NMI again"),
        field<&T::irq_injections>("interrupts given to the guest"),
        field<&T::nmi_injections>("NMIs given to the guest"),
        field<&T::halt_attempted_poll>("halts at which KVM polled for work"),
        field<&T::halt_successful_poll>("of these, polls that found some"),
        field<&T::halt_poll_invalid>("of those, polls whose find gave the guest nothing to do"),
        field<&T::halt_wakeup>("halts that slept and were woken"),
        field<&T::halt_poll_success_ns>("time in polls that found work, ns"),
        field<&T::halt_poll_fail_ns>("time in polls that found none, ns"),
        field<&T::halt_wait_ns>("time asleep in halts, ns"),
        field<&T::pf_fixed>("page faults at which KVM mapped guest memory"),
        field<&T::hypercalls>("hypercalls"),
        field<&T::preemption_reported>("times that the guest was told its CPU had been taken away"));
  }
};

/// A machine's own, at one instant (kvm_vm_stats_desc).
struct KvmVmStatistics {
  std::optional<std::uint64_t> pages_4k{}, pages_2m{}, pages_1g{};
  friend bool operator==(const KvmVmStatistics&, const KvmVmStatistics&) = default;

  static consteval auto describe() {
    using T = KvmVmStatistics;
    return record("KVM's statistics of the machine, by KVM's names; absent: not in this kernel",
                  field<&T::pages_4k>("guest memory mapped by pages of 4 KiB, pages"),
                  field<&T::pages_2m>("guest memory mapped by pages of 2 MiB, pages"),
                  field<&T::pages_1g>("guest memory mapped by pages of 1 GiB, pages"));
  }
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

}  // namespace ktstr
