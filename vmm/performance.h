// PerformanceOptions: what of the host a machine gets for itself, and MachinePerformance: what it got.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr {
namespace vmm {

inline constexpr int kLowestRealtimePriority = 1;  ///< above everything that is not realtime

/// By default nothing. Whatever is asked for is had, or the machine does not start: none is a wish.
struct PerformanceOptions {
  /// Each vCPU on a host CPU of its own, as pin_plan.h places them; the memory of NUMA nodes on the host's.
  bool pin_vcpus = false;
  std::optional<int> realtime_priority{};  ///< of the vCPUs' threads under SCHED_FIFO, 1 to 99
  /// The guest is told that no vCPU ever waits for a host CPU (KVM_HINTS_REALTIME): it spins where it would
  /// yield. True only of vCPUs that are pinned and run with realtime priority.
  bool dedicated_cpus = false;
  /// The longest that KVM polls for work when a vCPU halts, instead of the host's own limit; 0: never.
  std::optional<Duration> halt_poll{};
  bool huge_pages = false;  ///< 2 MiB pages: reserved ones where there are enough, else transparent ones
  bool prefault = false;    ///< all memory is there before the guest runs

  friend bool operator==(const PerformanceOptions&, const PerformanceOptions&) = default;
};

/// All that keeps a guest undisturbed: pinned, realtime, dedicated, huge pages, prefaulted.
[[nodiscard]] PerformanceOptions full_performance();

/// Errors (kInvalidArgument): a value that the host has no room for, dedicated_cpus without what makes it
/// true.
[[nodiscard]] Status check_performance(const PerformanceOptions& options);

/// What a machine that goes on from a snapshot keeps: what its guest was told, and the polling. Its CPUs and
/// memory are like everybody's, as any number of forks may run at once.
[[nodiscard]] PerformanceOptions performance_of_fork(const PerformanceOptions& options);

/// What of it QEMU's machines don't have, by name: the first; nullopt when they have all.
[[nodiscard]] std::optional<std::string> not_on_qemu(const PerformanceOptions& options);

/// Huge ones have 2 MiB.
enum class RamPages { kOrdinary, kTransparent, kReserved };

struct MachinePerformance {
  std::vector<std::uint64_t> vcpu_cpus;
  std::vector<std::string> node_memory;
  std::optional<std::uint64_t> realtime_priority{};
  bool dedicated_cpus = false;
  std::optional<std::uint64_t> halt_poll_ns{};
  RamPages ram_pages = RamPages::kOrdinary;
  bool prefaulted = false;

  friend bool operator==(const MachinePerformance&, const MachinePerformance&) = default;

  static consteval auto describe() {
    using T = MachinePerformance;
    return record(
        "what of the host the machine had for itself",
        field<&T::vcpu_cpus>("the host CPU of each vCPU; empty when they were not pinned"),
        field<&T::node_memory>(
            "the host's NUMA node of each of the guest's; empty when memory was not bound"),
        field<&T::realtime_priority>("priority of the vCPUs under SCHED_FIFO; absent without"),
        field<&T::dedicated_cpus>("whether the guest was told that its CPUs never wait (KVM_HINTS_REALTIME)"),
        field<&T::halt_poll_ns>("longest polling at a halt, ns; absent when it was the host's own"),
        field<&T::ram_pages>("pages of the guest's memory: ordinary, transparent or reserved"),
        field<&T::prefaulted>("whether all memory was there before the guest ran"));
  }
};

}  // namespace vmm

// clang-format off
template <> inline constexpr auto describe<vmm::RamPages> = enumeration<vmm::RamPages>("RamPages", {
    {"ordinary", vmm::RamPages::kOrdinary, "as the host gives them"},
    {"transparent", vmm::RamPages::kTransparent, "huge where the host finds room"},
    {"reserved", vmm::RamPages::kReserved, "huge ones that were set aside"}});
// clang-format on

}  // namespace ktstr
