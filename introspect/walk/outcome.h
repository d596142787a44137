// How the walk of a kernel data structure ended. Whatever the end, the items found before it are kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"

namespace ktstr::introspect {

enum class WalkEnd : std::uint8_t {
  kComplete,    ///< the structure's own end was reached
  kTruncated,   ///< the cap was reached: there may be more
  kCorrupt,     ///< a pointer that can't be one, a cycle, a shape that contradicts itself
  kUnreadable,  ///< a plausible pointer leads to memory that is not mapped
};

/// The items of a walked structure in its order. On a running guest a walk may also see a list change under
/// it: items that were linked all the while are found at most once, and kCorrupt or kUnreadable then need not
/// mean that the guest is broken.
template <class Item>
struct Walked {
  std::vector<Item> items;
  WalkEnd end = WalkEnd::kComplete;
  std::string_view reason;  ///< what ended the walk early, a literal; "" when complete
  KernelVirt at;            ///< where: the pointer that could not be followed

  [[nodiscard]] bool complete() const { return end == WalkEnd::kComplete; }

  /// A walk that could not begin.
  [[nodiscard]] static Walked unreadable(std::string_view why, KernelVirt where) {
    return {.items = {}, .end = WalkEnd::kUnreadable, .reason = why, .at = where};
  }

  void stop(WalkEnd how, std::string_view why, KernelVirt where) {
    end = how;
    reason = why;
    at = where;
  }
  /// The same of a walk that continues: the first thing that went wrong is what it reports.
  void note(WalkEnd how, std::string_view why, KernelVirt where) {
    if (complete()) stop(how, why, where);
  }
};

/// No list of a scheduler's is longer in a guest that works; a longer one ends as kTruncated.
inline constexpr std::size_t kDefaultWalkCap = 1U << 16;

}  // namespace ktstr::introspect
