// Whether /dev/kvm runs what a stock kernel needs, found out by trying.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::vmm::kvm {

/// Changes with what the probe asks of KVM: verdicts of another version are worth nothing.
inline constexpr std::uint32_t kProbeVersion = 2;

inline constexpr Duration kProbeDeadline{std::chrono::milliseconds(200)};

struct ProbeSettings {
  Duration deadline = kProbeDeadline;  ///< from the opening of /dev/kvm to the guest's report
  std::uint32_t hang_at = 0;  ///< for tests: a stage (KTSTR_PROBE_AT_*) at which the guest is made to loop
};

/// "wrmsr LSTAR": what stage `number` of probe_payload.h does.
[[nodiscard]] const char* probe_stage_name(std::uint32_t number);

/// Runs a guest of two CPUs that maps and touches pages, counts down (a KVM that emulates each instruction is
/// no use to a kernel), takes a page fault, writes and reads MSRs, asks CPUID, waits for its local APIC's
/// timer, starts its second CPU and is interrupted by it. No thread and no descriptor is left. Errors, in one
/// line each that names the stage it stopped at: kUnavailable when /dev/kvm can't be opened or lacks a
/// capability (Kvm::open); kTimeout when the guest hangs, or could not be made in time; kEmulatorFailed when
/// it crashes or gets wrong answers; kIo when a resource was not to be had, which says nothing of KVM.
[[nodiscard]] Status run_probe(const ProbeSettings& settings);

/// run_probe(), every error of which is kUnavailable.
[[nodiscard]] Status probe_kvm(Duration deadline = kProbeDeadline);

}  // namespace ktstr::vmm::kvm
