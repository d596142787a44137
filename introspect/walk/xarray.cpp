#include "introspect/walk/xarray.h"

#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "introspect/translator.h"

namespace ktstr::introspect {

namespace {

// include/linux/xarray.h: entries with the low bits 10 are internal. Above 4096 they are nodes (pointer + 2),
// below siblings, retry and zero entries.
constexpr std::uint64_t kInternalMask = 3;
constexpr std::uint64_t kInternal = 2;
constexpr std::uint64_t kLargestSpecial = 4096;

bool is_internal(std::uint64_t entry) {
  return (entry & kInternalMask) == kInternal;
}
bool is_node(std::uint64_t entry) {
  return is_internal(entry) && entry > kLargestSpecial;
}

/// One node on the way down: its slots, which of them is next, and the index of its first slot.
struct Level {
  std::vector<std::uint64_t> slots;
  std::size_t next = 0;
  std::uint64_t first_index = 0;
  unsigned shift = 0;
};

class XarrayWalk {
 public:
  XarrayWalk(const Translator& memory, const XarrayLayout& layout, std::size_t cap)
      : memory_(memory), layout_(layout), cap_(cap), nodes_left_(2 * cap + 64) {}

  Walked<XarrayEntry> from_head(KernelVirt xarray) && {
    const auto head = layout_.head.head.read(memory_, xarray);
    if (!head) return Walked<XarrayEntry>::unreadable("the array's head is in unmapped memory", xarray);
    if (check_shape()) visit(*head, 0, std::nullopt);
    drain();
    return std::move(walked_);
  }

 private:
  /// The chunk size is whatever the kernel was built with (CONFIG_BASE_SMALL), a power of two.
  bool check_shape() {
    const std::uint64_t slots = layout_.node.slots.size() / 8;
    if (slots >= 2 && slots <= 256 && std::has_single_bit(slots)) {
      chunk_bits_ = static_cast<unsigned>(std::countr_zero(slots));
      return true;
    }
    walked_.stop(WalkEnd::kCorrupt, "a node with an impossible number of slots", {});
    return false;
  }

  void visit(std::uint64_t entry, std::uint64_t index, std::optional<unsigned> parent_shift) {
    if (is_node(entry)) return descend(KernelVirt(entry - kInternal), index, parent_shift);
    if (entry == 0 || is_internal(entry)) return;
    if (walked_.items.size() == cap_)
      return walked_.stop(WalkEnd::kTruncated, "more entries than the cap", KernelVirt(entry));
    walked_.items.push_back({index, entry});
  }

  void descend(KernelVirt node, std::uint64_t first_index, std::optional<unsigned> parent_shift) {
    if (!memory_.plausible_pointer(node))
      return walked_.stop(WalkEnd::kCorrupt, "a node that is no kernel pointer", node);
    if (nodes_left_-- == 0) return walked_.stop(WalkEnd::kTruncated, "more nodes than the cap", node);
    if (!bytes_.capture(memory_, layout_.node, node))
      return walked_.stop(WalkEnd::kUnreadable, "a node in unmapped memory", node);
    const unsigned shift = *layout_.node.shift.read(bytes_);
    // A child's shift is one chunk below its parent's, so no path is longer than the index has bits.
    const bool fits =
        parent_shift ? shift + chunk_bits_ == *parent_shift : shift < 64 && shift % chunk_bits_ == 0;
    if (!fits) return walked_.stop(WalkEnd::kCorrupt, "a node at the wrong depth", node);
    Level level{{}, 0, first_index, shift};
    level.slots.resize(layout_.node.slots.size() / 8);
    const auto source = bytes_.at(layout_.node.slots.offset(), layout_.node.slots.size());
    std::memcpy(level.slots.data(), source.data(), source.size());
    path_.push_back(std::move(level));
  }

  void drain() {
    while (!path_.empty() && walked_.complete()) {
      Level& level = path_.back();
      if (level.next == level.slots.size()) {
        path_.pop_back();
        continue;
      }
      const std::uint64_t slot = level.next++;
      visit(level.slots[slot], level.first_index + (slot << level.shift), level.shift);
    }
  }

  const Translator& memory_;
  const XarrayLayout& layout_;
  std::size_t cap_;
  std::size_t nodes_left_;
  unsigned chunk_bits_ = 0;
  Walked<XarrayEntry> walked_;
  std::vector<Level> path_;
  StructBytes bytes_;
};

}  // namespace

Walked<XarrayEntry> walk_xarray(const Translator& memory, const XarrayLayout& layout, KernelVirt xarray,
                                std::size_t cap) {
  return XarrayWalk(memory, layout, cap).from_head(xarray);
}

Walked<XarrayEntry> walk_idr(const Translator& memory, const XarrayLayout& layout, KernelVirt idr,
                             std::size_t cap) {
  const auto base = layout.idr.base.read(memory, idr);
  if (!base) return Walked<XarrayEntry>::unreadable("the IDR is in unmapped memory", idr);
  auto walked = walk_xarray(memory, layout, layout.idr.xarray.address(idr), cap);
  for (XarrayEntry& entry : walked.items) entry.index += *base;
  return walked;
}

}  // namespace ktstr::introspect
