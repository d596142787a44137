// Where values of a type hold pointers, and following them without rendering whole values.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "introspect/read_budget.h"
#include "introspect/render/render_context.h"
#include "introspect/render/rendered_value.h"

namespace ktstr::introspect {

/// A part of a value that may lead out of it: a pointer, or a structure with pointers in disguise.
struct PointerPlace {
  std::uint64_t offset = 0;  ///< bytes from the value's start
  BtfTypeId type{};
};

/// More places than this, and the whole value is the one place.
inline constexpr std::size_t kMaxPointerPlaces = 1024;

/// All such parts of a `type`. Empty for a type whose rendering reads nothing but the value's own bytes.
/// Rendering the parts reads all that rendering the value reads, and may read more, as limits are those of a
/// value.
[[nodiscard]] std::vector<PointerPlace> pointer_places(const Btf& btf, BtfTypeId type,
                                                       const RenderContext& context);

/// Follows what many values lead to, each pointer once. One thread.
class PointerFollower {
 public:
  using Visit = std::function<void(const RenderedValue&)>;

  /// `context` and `budget`, whose deadline ends all following, must outlive it, as must all BTF that it is
  /// given.
  explicit PointerFollower(const RenderContext& context, ReadBudget* budget = nullptr)
      : context_(context), budget_(budget) {}

  /// Whether values of the type lead anywhere.
  [[nodiscard]] bool leads_out(const Btf& btf, BtfTypeId type) { return !places_of(btf, type).empty(); }
  /// Renders the parts of a value that may lead out of it, and gives each to `visit` (which may be empty);
  /// null pointers and those met before are left out. Memory stands still meanwhile. Does nothing after the
  /// deadline.
  void follow(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes, const Visit& visit);

 private:
  using TypeKey = std::pair<const Btf*, BtfTypeId>;
  [[nodiscard]] const std::vector<PointerPlace>& places_of(const Btf& btf, BtfTypeId type);
  /// Whether it is a pointer that leads nowhere new.
  [[nodiscard]] bool is_known(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes);

  const RenderContext& context_;
  ReadBudget* budget_;
  std::map<TypeKey, std::vector<PointerPlace>> places_;
  std::map<TypeKey, std::unordered_set<std::uint64_t>> followed_;  ///< by the pointer's type
};

}  // namespace ktstr::introspect
