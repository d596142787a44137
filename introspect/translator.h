// Translator: reads at kernel virtual addresses.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "introspect/memory.h"
#include "introspect/paging.h"

namespace ktstr::introspect {

/// A bounded, lock-free memory of translations, like a CPU's TLB: one array for 4 KB pages, one for 2 MB
/// pieces of larger ones. A slot holds (page ^ key, page) in two words; a slot torn by two writers fails the
/// comparison and is a miss.
class TranslationCache {
 public:
  /// The physical address of `address` and the bytes that follow it contiguously, or nullopt when not
  /// remembered.
  [[nodiscard]] std::optional<PageMapping> find(KernelVirt address) const;
  void insert(KernelVirt address, const PageMapping& mapping);

 private:
  struct Slot {
    std::atomic<std::uint64_t> key_xor_page{0};
    std::atomic<std::uint64_t> page{0};
  };
  std::array<Slot, 4096> small_;  ///< 4 KB pages
  std::array<Slot, 1024> large_;  ///< 2 MB pieces
};

/// Reads kernel memory through one page table. Movable; safe from several threads.
///
/// What is cached: only addresses in the stable ranges, where a present translation never changes while the
/// kernel lives. These are the kernel image and the direct map, whose pages may be split or lose permissions
/// but keep their physical address. Everything else (vmalloc: task stacks, modules, BPF programs, late
/// per-CPU chunks; vmemmap) can be unmapped and mapped anew at any instant without a sign that is visible
/// from outside, so it is walked on every read and can't be stale.
class Translator {
 public:
  /// `memory` must outlive the translator. Without stable ranges nothing is cached.
  Translator(const PhysicalMemory& memory, PageTable table, std::vector<KernelRange> stable_ranges = {});

  /// One for as long as the guest stands still: everything is stable.
  [[nodiscard]] Translator of_still_guest() const {
    return {*memory_, table_, {{KernelVirt(0), KernelVirt(~std::uint64_t{0})}}};
  }

  [[nodiscard]] const PhysicalMemory& memory() const { return *memory_; }
  [[nodiscard]] const PageTable& table() const { return table_; }

  /// The physical address of `address`. The page size in a cached answer may be smaller than the real page's.
  [[nodiscard]] WalkResult translate(KernelVirt address) const;

  /// Copies out.size() bytes at `address`, across pages. False, and `out` unspecified, when any byte is
  /// unmapped or outside RAM.
  [[nodiscard]] bool read_bytes(KernelVirt address, std::span<std::byte> out) const;

  /// The T at `address`, or nullopt when any byte of it can't be read.
  template <class T>
  [[nodiscard]] std::optional<T> read(KernelVirt address) const {
    return read_value<T>(*this, address);
  }

  /// The bytes at `address` up to the first NUL, at most `cap` of them. nullopt when a byte before that can't
  /// be read.
  [[nodiscard]] std::optional<std::string> read_c_bytes(KernelVirt address, std::size_t cap) const;
  /// The same as text: U+FFFD stands for each byte that is no UTF-8.
  [[nodiscard]] std::optional<std::string> read_c_string(KernelVirt address, std::size_t cap) const;

  /// See PagingMode::plausible_pointer().
  [[nodiscard]] bool plausible_pointer(KernelVirt address, std::uint64_t alignment = 8) const {
    return table_.mode->plausible_pointer(address, alignment);
  }

 private:
  [[nodiscard]] bool is_stable(KernelVirt address) const;

  const PhysicalMemory* memory_;
  PageTable table_;
  std::vector<KernelRange> stable_ranges_;
  std::unique_ptr<TranslationCache> cache_;
};

}  // namespace ktstr::introspect
