// The x86-64 page walk: from a virtual address to the page that holds it. (Intel SDM vol. 3A, section 4.5)
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/base/address.h"
#include "introspect/memory.h"

namespace ktstr::introspect {

/// A run of kernel virtual addresses, [begin, end).
struct KernelRange {
  KernelVirt begin;
  KernelVirt end;
  [[nodiscard]] constexpr bool contains(KernelVirt address) const {
    return address >= begin && address < end;
  }
};

/// One level of page tables: which address bits index its table, and whether an entry may map a page by
/// itself.
struct PagingLevel {
  std::uint8_t shift;  ///< lowest address bit of the index; 2^shift bytes are mapped by one entry
  bool may_be_leaf;    ///< an entry with PS set is a page (always true of the last level, PS or not)
};

/// A paging mode as data: the levels from the root down. Every table has 512 entries of 8 bytes.
struct PagingMode {
  std::string_view name;
  std::uint8_t address_bits;  ///< addresses are sign-extended from this many bits
  std::span<const PagingLevel> levels;

  /// Whether the bits above address_bits copy the highest one below them.
  [[nodiscard]] constexpr bool is_canonical(std::uint64_t address) const {
    const auto unused = 64 - address_bits;
    return static_cast<std::int64_t>(address << unused) >> unused == static_cast<std::int64_t>(address);
  }
  /// Whether `address` can be dereferenced at all: kernel half, canonical, multiple of `alignment` (a power
  /// of two).
  [[nodiscard]] constexpr bool plausible_pointer(KernelVirt address, std::uint64_t alignment = 8) const {
    return address.value() >> 63 && is_canonical(address.value()) && address.value() % alignment == 0;
  }
};

namespace detail {
inline constexpr std::array<PagingLevel, 5> kPagingLevels{
    {{48, false}, {39, false}, {30, true}, {21, true}, {12, true}}};
}

inline constexpr PagingMode kFourLevelPaging{"4-level", 48, std::span(detail::kPagingLevels).subspan(1)};
inline constexpr PagingMode kFiveLevelPaging{"5-level", 57, detail::kPagingLevels};

/// The root table of one address space.
struct PageTable {
  GuestPhys root;                              ///< 4 KB aligned
  const PagingMode* mode = &kFourLevelPaging;  ///< a mode of this header: lives forever
};

/// A translated address and the page it lies in.
struct PageMapping {
  GuestPhys address;  ///< of the byte asked for
  std::uint64_t
      page_size;  ///< 4 KB, 2 MB or 1 GB; bytes up to the page's end follow each other in physical memory
};

enum class WalkFault : std::uint8_t {  // describe_fault() knows their order
  kNonCanonical,                       ///< no such address in this mode
  kNotPresent,                         ///< an entry on the way is not present
  kReserved,                           ///< PS set where no page of that size exists
  kUnreadable,                         ///< a table lies outside RAM
};

/// Why an address has no translation. Everything in the aligned `span` bytes around it has none for the same
/// reason.
struct WalkFailure {
  WalkFault fault;
  std::uint64_t span;  ///< 2^64 is written as 0
};

using WalkResult = tl::expected<PageMapping, WalkFailure>;

/// Looks `address` up in `table`. At most one 8-byte read per level; a table that points into itself only
/// gives a wrong page. Permission bits are not judged: what the guest's kernel may not touch, an observer
/// still may read.
[[nodiscard]] WalkResult walk_page_table(const PhysicalMemory& memory, const PageTable& table,
                                         KernelVirt address);
[[nodiscard]] WalkResult walk_page_table(const PhysicalMemory& memory, const PageTable& table,
                                         UserVirt address);

/// "not present" ...: for messages.
[[nodiscard]] std::string_view describe_fault(WalkFault fault);

}  // namespace ktstr::introspect
