// CpuidLeaves: a list of CPUID leaves being edited.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <span>
#include <vector>

namespace ktstr::vmm::kvm {

struct CpuidRegisters {
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

class CpuidLeaves {
 public:
  explicit CpuidLeaves(std::span<const kvm_cpuid_entry2> entries)
      : entries_(entries.begin(), entries.end()) {}

  /// The leaf without a subleaf (or its first), or nullptr. Valid until the next edit.
  [[nodiscard]] kvm_cpuid_entry2* find(std::uint32_t leaf);
  /// The same, made of zeros where there was none.
  [[nodiscard]] kvm_cpuid_entry2& get(std::uint32_t leaf);

  /// Removes the leaf with all its subleaves: it reads as zeros.
  void drop(std::uint32_t leaf);
  /// Puts these subleaves, numbered from 0, in place of all that the leaf had.
  void replace(std::uint32_t leaf, std::span<const CpuidRegisters> subleaves);

  [[nodiscard]] std::vector<kvm_cpuid_entry2> take() && { return std::move(entries_); }

 private:
  std::vector<kvm_cpuid_entry2> entries_;
};

/// `value` with the `bits` bits from `first` on set to `field`, or to all ones where it does not fit.
[[nodiscard]] constexpr std::uint32_t with_field(std::uint32_t value, unsigned first, unsigned bits,
                                                 std::uint64_t field) {
  const std::uint32_t largest = (1U << bits) - 1;
  const auto fitting = field < largest ? static_cast<std::uint32_t>(field) : largest;
  return (value & ~(largest << first)) | fitting << first;
}

}  // namespace ktstr::vmm::kvm
