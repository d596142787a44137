#include "vmm/kvm/clock_state.h"

#include <x86intrin.h>

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "vmm/kvm/ioctl.h"
#include "vmm/kvm/vcpu_state.h"

namespace ktstr::vmm::kvm {
namespace {

// Intel SDM volume 4, table 2-2.
constexpr std::uint32_t kMsrTsc = 0x10, kMsrTscDeadline = 0x6e0;
constexpr std::array kClockMsrs{kMsrTsc, kMsrTscDeadline};

/// KVM_VCPU_TSC_OFFSET (Documentation/virt/kvm/devices/vcpu.rst), to be read from or written to `offset`.
kvm_device_attr offset_attribute(std::uint64_t& offset) {
  kvm_device_attr attribute{};
  attribute.group = KVM_VCPU_TSC_CTRL;
  attribute.attr = KVM_VCPU_TSC_OFFSET;
  attribute.addr = reinterpret_cast<std::uintptr_t>(&offset);
  return attribute;
}

Result<VcpuClock> save_clock(int vcpu) {
  VcpuClock clock;
  for (const auto& msr : KTSTR_TRY(read_msrs(vcpu, kClockMsrs)))
    (msr.index == kMsrTsc ? clock.tsc : clock.tsc_deadline) = msr.data;
  std::uint64_t offset = 0;
  auto attribute = offset_attribute(offset);
  if (kvm_ioctl(vcpu, KVM_GET_DEVICE_ATTR, "KVM_VCPU_TSC_OFFSET", &attribute)) clock.tsc_offset = offset;
  return clock;
}

/// Without offsets, KVM finds that vCPUs which are set to nearly the same value are meant to agree.
Status restore_tsc(int vcpu, const VcpuClock& clock, std::uint64_t passed) {
  if (!clock.tsc_offset) {
    const kvm_msr_entry tsc{kMsrTsc, 0, clock.tsc};
    return restore_msrs(vcpu, std::span(&tsc, 1));
  }
  std::uint64_t offset = *clock.tsc_offset - passed;
  auto attribute = offset_attribute(offset);
  return kvm_ioctl(vcpu, KVM_SET_DEVICE_ATTR, "KVM_VCPU_TSC_OFFSET", &attribute);
}

}  // namespace

bool is_clock_msr(std::uint32_t index) {
  return std::find(kClockMsrs.begin(), kClockMsrs.end(), index) != kClockMsrs.end();
}

Result<ClockState> save_clocks(int vm, std::span<const int> vcpus) {
  kvm_clock_data kvmclock{};
  KTSTR_TRY(kvm_ioctl(vm, KVM_GET_CLOCK, "KVM_GET_CLOCK", &kvmclock));
  ClockState state{__rdtsc(), kvmclock.clock, {}};
  for (const int vcpu : vcpus) state.vcpus.push_back(KTSTR_TRY(save_clock(vcpu)));
  return state;
}

// A deadline that has passed makes the timer fire at once.
Status restore_clocks(int vm, std::span<const int> vcpus, const ClockState& state) {
  KTSTR_CHECK(vcpus.size() == state.vcpus.size());
  const auto passed = __rdtsc() - state.host_tsc;
  for (std::size_t i = 0; i < vcpus.size(); ++i) KTSTR_TRY(restore_tsc(vcpus[i], state.vcpus[i], passed));
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    const kvm_msr_entry deadline{kMsrTscDeadline, 0, state.vcpus[i].tsc_deadline};
    KTSTR_TRY(restore_msrs(vcpus[i], std::span(&deadline, 1)));
  }
  kvm_clock_data kvmclock{};
  kvmclock.clock = state.kvmclock_ns;
  return kvm_ioctl(vm, KVM_SET_CLOCK, "KVM_SET_CLOCK", &kvmclock);
}

}  // namespace ktstr::vmm::kvm
