// KVM's requests: ioctl() with an Error that names it, and arguments of variable length.
#pragma once

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>

#include "engine/base/io.h"
#include "engine/base/result.h"

namespace ktstr::vmm::kvm {

/// The request's value; starts again where a signal came in between. Errors: system_error() with `name`.
template <class... Argument>
[[nodiscard]] Result<int> kvm_value(int fd, unsigned long request, const char* name, Argument... argument) {
  const int value = retry([&] { return ::ioctl(fd, request, argument...); });
  if (value < 0) return system_error(name);
  return value;
}

/// The same for a request that has none.
template <class... Argument>
[[nodiscard]] Status kvm_ioctl(int fd, unsigned long request, const char* name, Argument... argument) {
  KTSTR_TRY(kvm_value(fd, request, name, argument...));
  return ok();
}

inline constexpr std::size_t kTableHeaderBytes = 8;

/// A request's number as KVM knows it, whose argument has (or, with entries behind it, begins with) so many
/// bytes: see KvmTable.
[[nodiscard]] constexpr unsigned long table_request(unsigned long number,
                                                    std::size_t bytes = kTableHeaderBytes) {
  constexpr unsigned long kSizeBits = _IOC_SIZEMASK << _IOC_SIZESHIFT;
  return (number & ~kSizeBits) | bytes << _IOC_SIZESHIFT;
}

/// One of KVM's variable-length arguments: a header with a count, and the entries behind it.
/// The header begins with the count, of two 32-bit words (kvm_cpuid2, kvm_msrs, kvm_irq_routing) or one
/// (kvm_msr_list). The structs' own sizes and offsets are not KVM's in C++, where the empty struct of their
/// flexible array (linux/stddef.h) has a size; nor are the sizes in the numbers of their requests.
template <class Entry, std::size_t header_bytes = kTableHeaderBytes>
class KvmTable {
 public:
  static constexpr std::size_t kHeaderBytes = header_bytes;

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
    return kvm_value(fd, table_request(number, kHeaderBytes), name, storage_.get());
  }

 private:
  std::unique_ptr<std::byte, decltype(&std::free)> storage_;
};

using CpuidTable = KvmTable<kvm_cpuid_entry2>;
using MsrTable = KvmTable<kvm_msr_entry>;
using MsrList = KvmTable<std::uint32_t, sizeof(std::uint32_t)>;
using RoutingTable = KvmTable<kvm_irq_routing_entry>;

}  // namespace ktstr::vmm::kvm
