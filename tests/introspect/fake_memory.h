// FakeMemory: an arena of physical memory with page tables that a test fills.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/base/check.h"
#include "introspect/paging.h"
#include "introspect/span_memory.h"
#include "introspect/translator.h"

namespace ktstr::introspect::test {

/// RAM from physical address 0, with a root table and nothing mapped. Pages and tables come out of the RAM
/// itself.
class FakeMemory {
 public:
  explicit FakeMemory(std::size_t bytes = 8U << 20, const PagingMode& mode = kFourLevelPaging);

  // Moving keeps the RAM where it is; a copy's memory() would still read the original's.
  FakeMemory(FakeMemory&&) = default;
  FakeMemory& operator=(FakeMemory&&) = default;

  [[nodiscard]] const SpanMemory& memory() const { return memory_; }
  [[nodiscard]] std::vector<std::byte>& ram() { return ram_; }
  [[nodiscard]] PageTable table() const { return {root_, mode_}; }
  [[nodiscard]] Translator translator() const { return Translator(memory_, table()); }

  /// Zeroed physical memory, aligned to `alignment` (a power of two).
  [[nodiscard]] GuestPhys allocate(std::size_t bytes, std::size_t alignment = 8);

  /// Maps one page of `page_size` (4 KB, 2 MB or 1 GB) in the table at `root`.
  void map(GuestPhys root, KernelVirt page, GuestPhys to, std::uint64_t page_size = 4096);
  void map(KernelVirt page, GuestPhys to, std::uint64_t page_size = 4096) { map(root_, page, to, page_size); }

  /// The physical address of the table entry that maps `address` (at the level of `page_size` pages), made if
  /// need be.
  [[nodiscard]] GuestPhys entry(GuestPhys root, KernelVirt address, std::uint64_t page_size);

  template <class T>
  void put(GuestPhys address, const T& value) {
    KTSTR_CHECK(address.value() + sizeof(T) <= ram_.size());
    std::memcpy(ram_.data() + address.value(), &value, sizeof(T));
  }
  template <class T>
  [[nodiscard]] T get(GuestPhys address) const {
    return memory_.read_value<T>(address).value();
  }

 private:
  std::vector<std::byte> ram_;
  SpanMemory memory_;
  const PagingMode* mode_;
  std::uint64_t used_ = 0;
  GuestPhys root_;
};

}  // namespace ktstr::introspect::test
