#include "introspect/render/pointer_places.h"

#include <bpf/btf.h>

#include "introspect/render/render.h"
#include "introspect/render/scalars.h"
#include "introspect/render/special_types.h"

namespace ktstr::introspect {

namespace {

/// Longer arrays are one place.
constexpr std::uint64_t kMaxElementsApart = 64;
constexpr std::size_t kMaxSteps = kMaxRenderedNodes;
/// What remembering a pointer takes.
constexpr std::uint64_t kFollowedBytes = 64;

class Finder {
 public:
  Finder(const Btf& btf, const RenderContext& context) : btf_(btf), context_(context) {}

  /// Appends the places of a `type` at `offset`.
  void find(BtfTypeId type, std::uint64_t offset, unsigned depth) {
    const BtfTypeId id = btf_.strip(type);
    const btf_type* entry = btf_.type(id);
    if (entry == nullptr || depth > kMaxRenderDepth || gave_up() || ++steps_ > kMaxSteps) return;
    if (btf_is_ptr(entry)) return places_.push_back({offset, id});
    if (btf_is_var(entry)) return find(BtfTypeId{entry->type}, offset, depth + 1);
    if (btf_is_array(entry)) return find_in_array(id, *btf_array(entry), offset, depth);
    const std::size_t before = places_.size();
    bool whole = false;
    if (btf_is_composite(entry)) whole = find_in_struct(id, *entry, offset, depth);
    if (btf_is_datasec(entry)) whole = find_in_section(id, *entry, offset, depth);
    if (whole) places_.resize(before), places_.push_back({offset, id});
  }
  [[nodiscard]] bool gave_up() const {
    return too_many_ || places_.size() > kMaxPointerPlaces || steps_ > kMaxSteps;
  }
  [[nodiscard]] std::vector<PointerPlace> take() { return std::move(places_); }

 private:
  void find_in_array(BtfTypeId id, const struct btf_array& array, std::uint64_t offset, unsigned depth) {
    const BtfTypeId element{array.type};
    const auto size = btf_.size_of(element);
    const std::size_t before = places_.size();
    if (array.nelems == 0 || !size || *size == 0) return;
    find(element, offset, depth + 1);
    if (places_.size() == before) return;
    if (array.nelems > kMaxElementsApart) {
      places_.resize(before);
      return places_.push_back({offset, id});
    }
    if (gave_up()) return;
    const std::vector<PointerPlace> first(places_.begin() + static_cast<std::ptrdiff_t>(before),
                                          places_.end());
    // Arrays of arrays multiply: what would be too many is not made first.
    if (before + first.size() * array.nelems > kMaxPointerPlaces) return void(too_many_ = true);
    for (std::uint64_t i = 1; i < array.nelems; ++i)
      for (const auto& place : first) places_.push_back({place.offset + i * *size, place.type});
  }

  /// True: the structure can only be followed as a whole.
  bool find_in_struct(BtfTypeId id, const btf_type& type, std::uint64_t offset, unsigned depth) {
    if (opaque_pointers(btf_.name_at(type.name_off)) != 0 || find_cpu_mask(btf_, id)) return false;
    for (std::uint32_t i = 0; i < btf_vlen(&type) && !gave_up(); ++i) {
      const BtfTypeId member{btf_members(&type)[i].type};
      const std::uint64_t bits = btf_member_bit_offset(&type, i);
      if (btf_member_bitfield_size(&type, i) != 0 || bits % 8 != 0) continue;
      if (is_inferred(id, member, bits / 8)) return true;
      if (i + 1 == btf_vlen(&type) && is_flexible_of_pointers(member, depth)) return true;
      find(member, offset + bits / 8, depth + 1);
    }
    return false;
  }

  bool find_in_section(BtfTypeId id, const btf_type& type, std::uint64_t offset, unsigned depth) {
    for (std::uint32_t i = 0; i < btf_vlen(&type) && !gave_up(); ++i) {
      const btf_var_secinfo& place = btf_var_secinfos(&type)[i];
      const btf_type* variable = btf_.type(BtfTypeId{place.type});
      if (variable == nullptr || !btf_is_var(variable)) continue;
      if (is_inferred(id, BtfTypeId{variable->type}, place.offset)) return true;
      find(BtfTypeId{variable->type}, offset + place.offset, depth + 1);
    }
    return false;
  }

  [[nodiscard]] bool is_inferred(BtfTypeId structure, BtfTypeId member, std::uint64_t offset) const {
    const btf_type* type = btf_.type(btf_.strip(member));
    return type && btf_is_int(type) && type->size == 8 &&
           context_.infer_pointer(btf_, structure, offset).has_value();
  }

  /// "type x[]": how many there are is known from a value's bytes only.
  [[nodiscard]] bool is_flexible_of_pointers(BtfTypeId member, unsigned depth) {
    const btf_type* type = btf_.type(btf_.strip(member));
    if (type == nullptr || !btf_is_array(type) || btf_array(type)->nelems != 0) return false;
    const std::size_t before = places_.size();
    find(BtfTypeId{btf_array(type)->type}, 0, depth + 1);
    const bool found = places_.size() > before;
    places_.resize(before);
    return found;
  }

  const Btf& btf_;
  const RenderContext& context_;
  std::size_t steps_ = 0;
  bool too_many_ = false;
  std::vector<PointerPlace> places_;
};

}  // namespace

std::vector<PointerPlace> pointer_places(const Btf& btf, BtfTypeId type, const RenderContext& context) {
  Finder finder(btf, context);
  finder.find(type, 0, 0);
  if (finder.gave_up()) return {{0, type}};
  return finder.take();
}

const std::vector<PointerPlace>& PointerFollower::places_of(const Btf& btf, BtfTypeId type) {
  const TypeKey key(&btf, type);
  const auto known = places_.find(key);
  return known != places_.end() ? known->second
                                : places_.emplace(key, pointer_places(btf, type, context_)).first->second;
}

bool PointerFollower::is_known(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes) {
  const btf_type* entry = btf.type(btf.strip(type));
  if (!entry || !btf_is_ptr(entry)) return false;
  const auto value = read_bits(bytes, 0, 64);
  return !value || *value == 0 || !followed_[{&btf, type}].insert(*value).second;
}

void PointerFollower::follow(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                             const Visit& visit) {
  for (const auto& place : places_of(btf, type)) {
    if (place.offset >= bytes.size()) continue;
    const auto part = bytes.subspan(place.offset);
    if (is_known(btf, place.type, part)) continue;
    if (budget_ && (budget_->expired() || !budget_->take(kFollowedBytes))) return;
    const auto value = render_value(btf, place.type, part, context_);
    if (visit) visit(value);
  }
}

}  // namespace ktstr::introspect
