#include "vmm/kvm/vcpu_msrs.h"

#include <fmt/format.h>

#include <algorithm>

#include "vmm/kvm/table.h"

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

}  // namespace ktstr::vmm::kvm
