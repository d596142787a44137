// struct xarray, and the IDR built on it (include/linux/xarray.h, lib/xarray.c, include/linux/idr.h).
#pragma once

#include <cstdint>

#include "introspect/layout.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

class Translator;

/// Where an XArray's head and its nodes keep what a walk needs. An IDR is an XArray in its member idr_rt,
/// with indices from idr_base.
struct XarrayLayout {
  struct Head : LayoutOf<"xarray"> {
    Field<std::uint64_t> head{*this, {"xa_head"}};
  };
  struct Node : LayoutOf<"xa_node"> {
    Field<std::uint8_t> shift{*this, {"shift"}};
    Embedded slots{*this, {"slots"}};
  };
  struct Idr : LayoutOf<"idr"> {
    Embedded xarray{*this, {"idr_rt"}};
    Field<std::uint32_t> base{*this, {"idr_base"}};
  };

  Head head;
  Node node;
  Idr idr;

  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&head, &node, &idr}); }
};

/// One present entry.
struct XarrayEntry {
  std::uint64_t index = 0;
  std::uint64_t raw = 0;  ///< as stored: a pointer, or a value entry

  /// A value entry holds an integer of 63 bits in place of a pointer.
  [[nodiscard]] bool is_value() const { return raw & 1; }
  [[nodiscard]] std::uint64_t value() const { return raw >> 1; }
  /// A pointer entry's address, without the two tag bits that XArray users may set.
  [[nodiscard]] KernelVirt pointer() const { return KernelVirt(raw & ~std::uint64_t{3}); }
};

/// The present entries of the `struct xarray` at `xarray`, ascending by index. An entry that spans several
/// indices comes once, at its first. Reserved (zero) and retry entries are left out. At most `cap` entries
/// and 2 * cap + 64 nodes are read.
[[nodiscard]] Walked<XarrayEntry> walk_xarray(const Translator& memory, const XarrayLayout& layout,
                                              KernelVirt xarray, std::size_t cap = kDefaultWalkCap);

/// The same for a `struct idr`: indices are the ids.
[[nodiscard]] Walked<XarrayEntry> walk_idr(const Translator& memory, const XarrayLayout& layout,
                                           KernelVirt idr, std::size_t cap = kDefaultWalkCap);

}  // namespace ktstr::introspect
