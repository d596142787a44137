#include "vmm/kvm/cpuid_leaves.h"

#include <algorithm>

namespace ktstr::vmm::kvm {

kvm_cpuid_entry2* CpuidLeaves::find(std::uint32_t leaf) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const kvm_cpuid_entry2& entry) {
    return entry.function == leaf && entry.index == 0;
  });
  return found == entries_.end() ? nullptr : &*found;
}

kvm_cpuid_entry2& CpuidLeaves::get(std::uint32_t leaf) {
  if (auto* const entry = find(leaf)) return *entry;
  kvm_cpuid_entry2 entry{};
  entry.function = leaf;
  return entries_.emplace_back(entry);
}

void CpuidLeaves::drop(std::uint32_t leaf) {
  std::erase_if(entries_, [&](const kvm_cpuid_entry2& entry) { return entry.function == leaf; });
}

void CpuidLeaves::replace(std::uint32_t leaf, std::span<const CpuidRegisters> subleaves) {
  drop(leaf);
  for (std::uint32_t index = 0; index < subleaves.size(); ++index) {
    const auto& registers = subleaves[index];
    kvm_cpuid_entry2 entry{};
    entry.function = leaf;
    entry.index = index;
    entry.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
    entry.eax = registers.eax;
    entry.ebx = registers.ebx;
    entry.ecx = registers.ecx;
    entry.edx = registers.edx;
    entries_.push_back(entry);
  }
}

}  // namespace ktstr::vmm::kvm
