#include "vmm/kvm/vcpu_state.h"

#include <fmt/format.h>

#include <algorithm>

#include "vmm/kvm/clock_state.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kMostAtOnce = 128;  // KVM takes less than 256 (MAX_IO_MSRS in arch/x86/kvm/x86.c)

std::vector<std::uint32_t> indices_of(std::span<const kvm_msr_entry> msrs) {
  std::vector<std::uint32_t> indices;
  for (const auto& msr : msrs) indices.push_back(msr.index);
  return indices;
}

bool has_value(std::span<const kvm_msr_entry> msrs, const kvm_msr_entry& wanted) {
  return std::any_of(msrs.begin(), msrs.end(), [&](const kvm_msr_entry& msr) {
    return msr.index == wanted.index && msr.data == wanted.data;
  });
}

constexpr std::size_t kXsaveBytes = 4096;  // struct kvm_xsave; KVM_GET_XSAVE2 has more
constexpr std::uint64_t kEferSvme = 1U << 12, kCr4Vmxe = 1U << 13;  // SVM and VMX are in use

/// Of Hyper-V's interface, which our guests' CPUID does not have.
constexpr std::uint32_t kFirstHyperVMsr = 0x40000000, kLastHyperVMsr = 0x400001ff;

std::vector<std::uint32_t> without_foreign(std::span<const std::uint32_t> msrs) {
  std::vector<std::uint32_t> ours;
  std::copy_if(msrs.begin(), msrs.end(), std::back_inserter(ours), [](std::uint32_t msr) {
    return !is_clock_msr(msr) && (msr < kFirstHyperVMsr || msr > kLastHyperVMsr);
  });
  return ours;
}

Status save_fpu(const Kvm& kvm, int vcpu, VcpuState& state) {
  if (kvm.extension(KVM_CAP_XSAVE) == 0) return kvm_ioctl(vcpu, KVM_GET_FPU, "KVM_GET_FPU", &state.fpu);
  const auto bytes = static_cast<std::size_t>(std::max(0, kvm.extension(KVM_CAP_XSAVE2)));
  const bool large = bytes > kXsaveBytes;
  state.xsave.resize(std::max(bytes, kXsaveBytes));
  const auto request = table_request(large ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, kXsaveBytes);
  return kvm_ioctl(vcpu, request, "KVM_GET_XSAVE", state.xsave.data());
}

Status save_xcrs(const Kvm& kvm, int vcpu, VcpuState& state) {
  if (kvm.extension(KVM_CAP_XCRS) == 0) return ok();
  return kvm_ioctl(vcpu, KVM_GET_XCRS, "KVM_GET_XCRS", &state.xcrs.emplace());
}

Status restore_fpu(int vcpu, const VcpuState& state) {
  if (state.xsave.empty()) return kvm_ioctl(vcpu, KVM_SET_FPU, "KVM_SET_FPU", &state.fpu);
  const auto request = table_request(KVM_SET_XSAVE, kXsaveBytes);
  return kvm_ioctl(vcpu, request, "KVM_SET_XSAVE", state.xsave.data());
}

}  // namespace

// KVM reads up to the first that the guest does not have, and tells how many those were.
Result<std::vector<kvm_msr_entry>> read_msrs(int vcpu, std::span<const std::uint32_t> indices) {
  std::vector<kvm_msr_entry> msrs;
  while (!indices.empty()) {
    std::vector<kvm_msr_entry> wanted;
    for (const auto index : indices.first(std::min(indices.size(), kMostAtOnce)))
      wanted.push_back({index, 0, 0});
    MsrTable table(wanted);
    const auto read = static_cast<std::size_t>(KTSTR_TRY(table.request(vcpu, KVM_GET_MSRS, "KVM_GET_MSRS")));
    const auto entries = table.entries().first(read);
    msrs.insert(msrs.end(), entries.begin(), entries.end());
    indices = indices.subspan(read < wanted.size() ? read + 1 : read);
  }
  return msrs;
}

Status restore_msrs(int vcpu, std::span<const kvm_msr_entry> wanted) {
  const auto present = KTSTR_TRY(read_msrs(vcpu, indices_of(wanted)));
  std::vector<kvm_msr_entry> differing;
  for (const auto& msr : wanted)
    if (!has_value(present, msr)) differing.push_back(msr);
  for (std::span<const kvm_msr_entry> rest = differing; !rest.empty();) {
    const auto now = rest.first(std::min(rest.size(), kMostAtOnce));
    MsrTable table(now);
    const auto written =
        static_cast<std::size_t>(KTSTR_TRY(table.request(vcpu, KVM_SET_MSRS, "KVM_SET_MSRS")));
    if (written < now.size())
      return Error{ErrorCode::kUnavailable, fmt::format("KVM refuses MSR {:#x}", now[written].index)};
    rest = rest.subspan(written);
  }
  return ok();
}

// The state of multiprocessing comes first, as asking for it makes KVM act on a waiting INIT or SIPI. The
// local APIC comes after what sets it going (a timer that fires in between is in both, not in neither).
Result<VcpuState> save_vcpu(const Kvm& kvm, std::span<const std::uint32_t> msrs, int vcpu) {
  VcpuState state;
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_MP_STATE, "KVM_GET_MP_STATE", &state.mp_state));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_REGS, "KVM_GET_REGS", &state.general));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_SREGS, "KVM_GET_SREGS", &state.special));
  if ((state.special.efer & kEferSvme) != 0 || (state.special.cr4 & kCr4Vmxe) != 0)
    return Error{ErrorCode::kUnavailable, "a guest that runs guests has no snapshots"};
  KTSTR_TRY(save_fpu(kvm, vcpu, state));
  KTSTR_TRY(save_xcrs(kvm, vcpu, state));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_DEBUGREGS, "KVM_GET_DEBUGREGS", &state.debug));
  state.msrs = KTSTR_TRY(read_msrs(vcpu, without_foreign(msrs)));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_LAPIC, "KVM_GET_LAPIC", &state.lapic));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_GET_VCPU_EVENTS, "KVM_GET_VCPU_EVENTS", &state.events));
  return state;
}

// The special registers have the local APIC's mode, which its registers are read by; KVM_SET_REGS drops
// exceptions that the events bring back.
Status restore_vcpu(int vcpu, const VcpuState& state) {
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_MP_STATE, "KVM_SET_MP_STATE", &state.mp_state));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_SREGS, "KVM_SET_SREGS", &state.special));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_REGS, "KVM_SET_REGS", &state.general));
  KTSTR_TRY(restore_fpu(vcpu, state));
  if (state.xcrs) KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_XCRS, "KVM_SET_XCRS", &*state.xcrs));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_DEBUGREGS, "KVM_SET_DEBUGREGS", &state.debug));
  KTSTR_TRY(kvm_ioctl(vcpu, KVM_SET_LAPIC, "KVM_SET_LAPIC", &state.lapic));
  KTSTR_TRY(restore_msrs(vcpu, state.msrs));
  return kvm_ioctl(vcpu, KVM_SET_VCPU_EVENTS, "KVM_SET_VCPU_EVENTS", &state.events);
}

}  // namespace ktstr::vmm::kvm
