// KvmTable: one of KVM's variable-length arguments, a header with a count and the entries behind it.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "engine/base/result.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {

inline constexpr std::size_t kTableHeaderBytes = 8;

/// A request's number as KVM knows it, whose argument is the header (see KvmTable).
[[nodiscard]] constexpr unsigned long table_request(unsigned long number) {
  constexpr unsigned long kSizeBits = _IOC_SIZEMASK << _IOC_SIZESHIFT;
  return (number & ~kSizeBits) | kTableHeaderBytes << _IOC_SIZESHIFT;
}

/// A header of two 32-bit words, the count first (kvm_cpuid2, kvm_msrs, kvm_irq_routing). The structs' own
/// sizes and offsets are not KVM's in C++, where the empty struct of their flexible array (linux/stddef.h)
/// has a size; nor are the sizes in the numbers of their requests.
template <class Entry>
class KvmTable {
 public:
  static constexpr std::size_t kHeaderBytes = kTableHeaderBytes;

  explicit KvmTable(std::size_t entries)
      : storage_(static_cast<std::byte*>(std::calloc(1, kHeaderBytes + entries * sizeof(Entry))),
                 &std::free) {
    const auto count = static_cast<std::uint32_t>(entries);
    std::memcpy(storage_.get(), &count, sizeof(count));
  }
  explicit KvmTable(std::span<const Entry> entries) : KvmTable(entries.size()) {
    if (!entries.empty()) std::memcpy(storage_.get() + kHeaderBytes, entries.data(), entries.size_bytes());
  }

  /// As many as the count says, which a request may have lowered.
  [[nodiscard]] std::span<const Entry> entries() const {
    std::uint32_t count = 0;
    std::memcpy(&count, storage_.get(), sizeof(count));
    return {reinterpret_cast<const Entry*>(storage_.get() + kHeaderBytes), count};
  }

  /// ioctl(fd, request) with this table.
  [[nodiscard]] Result<int> request(int fd, unsigned long number, const char* name) {
    return kvm_ioctl(fd, table_request(number), name, storage_.get());
  }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> storage_;
};

using CpuidTable = KvmTable<kvm_cpuid_entry2>;
using MsrTable = KvmTable<kvm_msr_entry>;
using RoutingTable = KvmTable<kvm_irq_routing_entry>;

}  // namespace ktstr::vmm::kvm
