#include "introspect/btf.h"

#include <bpf/btf.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ktstr::introspect {

namespace {

constexpr std::size_t kMaxName = 512;   // KSYM_NAME_LEN
constexpr int kMaxReferences = 64;      // typedefs and qualifiers in a row
constexpr int kMaxAnonymousDepth = 16;  // anonymous structs within each other
constexpr std::size_t kMaxMembersSearched = 1U << 16;

std::uint32_t number(BtfTypeId id) {
  return static_cast<std::uint32_t>(id);
}

bool is_reference(std::uint32_t kind) {
  return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
         kind == BTF_KIND_RESTRICT || kind == BTF_KIND_TYPE_TAG;
}

bool is_composite(const btf_type* type) {
  return type != nullptr && btf_is_composite(type);
}

/// "name[3]" -> name and "3"; without brackets the index is absent.
struct PathPart {
  std::string_view name;
  std::optional<std::string_view> index;
};

PathPart split_part(std::string_view part) {
  const auto open = part.find('[');
  if (open == std::string_view::npos || part.back() != ']') return {part, std::nullopt};
  return {part.substr(0, open), part.substr(open + 1, part.size() - open - 2)};
}

}  // namespace

const btf_type* Btf::type(BtfTypeId id) const {
  return btf__type_by_id(handle_.get(), number(id));
}

std::string_view Btf::name_at(std::uint32_t offset) const {
  const char* name = btf__name_by_offset(handle_.get(), offset);
  if (name == nullptr) return {};
  const std::size_t length = strnlen(name, kMaxName);
  return length < kMaxName ? std::string_view(name, length) : std::string_view();
}

std::uint32_t Btf::type_count() const {
  return btf__type_cnt(handle_.get());
}

std::span<const std::byte> Btf::raw() const {
  std::uint32_t size = 0;
  const void* data = btf__raw_data(handle_.get(), &size);
  return {static_cast<const std::byte*>(data), size};
}

BtfTypeId Btf::strip(BtfTypeId id) const {
  for (int i = 0; i < kMaxReferences; ++i) {
    const btf_type* entry = type(id);
    if (entry == nullptr || !is_reference(btf_kind(entry))) return id;
    id = BtfTypeId{entry->type};
  }
  return BtfTypeId{};
}

std::optional<BtfTypeId> Btf::find_struct(std::string_view name) const {
  if (const auto found = structs_.find(name); found != structs_.end()) return found->second;
  if (const auto alias = typedefs_.find(name); alias != typedefs_.end())
    if (const BtfTypeId target = strip(alias->second); is_composite(type(target))) return target;
  return base_ ? base_->find_struct(name) : std::nullopt;
}

std::optional<std::uint64_t> Btf::size_of(BtfTypeId id) const {
  const std::int64_t size = btf__resolve_size(handle_.get(), number(id));
  if (size < 0) return std::nullopt;
  return static_cast<std::uint64_t>(size);
}

BtfMember Btf::member_at(const btf_type* structure, std::uint32_t index) const {
  const BtfTypeId type{btf_members(structure)[index].type};
  return {type, btf_member_bit_offset(structure, index), size_of(type).value_or(0),
          btf_member_bitfield_size(structure, index)};
}

std::vector<BtfNamedMember> Btf::members(BtfTypeId structure) const {
  const btf_type* entry = type(strip(structure));
  std::vector<BtfNamedMember> result;
  if (!is_composite(entry)) return result;
  result.reserve(btf_vlen(entry));
  for (std::uint32_t i = 0; i < btf_vlen(entry); ++i) {
    const btf_member& member = btf_members(entry)[i];
    result.push_back({name_at(member.name_off), member_at(entry, i)});
  }
  return result;
}

Result<BtfMember> Btf::find_member(BtfTypeId structure, std::string_view name) const {
  struct Pending {
    BtfTypeId type;
    std::uint64_t bit_offset;
    int depth;
  };
  std::vector<Pending> pending{{strip(structure), 0, 0}};
  std::size_t searched = 0;
  for (std::size_t next = 0; next < pending.size(); ++next) {
    const Pending outer = pending[next];
    const btf_type* entry = type(outer.type);
    if (!is_composite(entry)) continue;
    for (std::uint32_t i = 0; i < btf_vlen(entry); ++i) {
      if (++searched > kMaxMembersSearched) return corrupted("BTF: anonymous members without end");
      const btf_member& member = btf_members(entry)[i];
      if (member.name_off == 0 && outer.depth < kMaxAnonymousDepth)
        pending.push_back({strip(BtfTypeId{member.type}), outer.bit_offset + btf_member_bit_offset(entry, i),
                           outer.depth + 1});
      if (member.name_off == 0 || name_at(member.name_off) != name) continue;
      BtfMember found = member_at(entry, i);
      found.bit_offset += outer.bit_offset;
      return found;
    }
  }
  return Error{ErrorCode::kNotFound, "no member " + std::string(name)};
}

std::optional<BtfTypeId> Btf::pointee(BtfTypeId id) const {
  const btf_type* entry = type(strip(id));
  if (entry == nullptr || !btf_is_ptr(entry)) return std::nullopt;
  return BtfTypeId{entry->type};
}

std::optional<std::pair<std::uint64_t, BtfTypeId>> Btf::array(BtfTypeId id) const {
  const btf_type* entry = type(strip(id));
  if (entry == nullptr || !btf_is_array(entry)) return std::nullopt;
  return std::pair<std::uint64_t, BtfTypeId>(btf_array(entry)->nelems, BtfTypeId{btf_array(entry)->type});
}

Result<BtfMember> Btf::element(const BtfMember& member, std::string_view index) const {
  const auto elements = array(member.type);
  if (!elements) return Error{ErrorCode::kNotFound, "not an array"};
  std::uint64_t position = 0;
  const auto [rest, error] = std::from_chars(index.data(), index.data() + index.size(), position);
  if (error != std::errc{} || rest != index.data() + index.size() || position >= elements->first)
    return Error{ErrorCode::kNotFound,
                 "no element [" + std::string(index) + "] of " + std::to_string(elements->first)};
  const auto size = size_of(elements->second);
  if (!size) return corrupted("BTF: an array of a type without size");
  return BtfMember{elements->second, member.bit_offset + position * *size * 8, *size, 0};
}

Result<BtfMember> Btf::member(BtfTypeId structure, std::string_view path) const {
  BtfMember place{structure, 0, 0, 0};
  std::string_view rest = path;
  do {
    const auto dot = rest.find('.');
    const PathPart part = split_part(rest.substr(0, dot));
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    const std::uint64_t outer_offset = place.bit_offset;
    place = KTSTR_TRY(find_member(place.type, part.name));
    place.bit_offset += outer_offset;
    if (part.index) place = KTSTR_TRY(element(place, *part.index));
  } while (!rest.empty());
  return place;
}

std::vector<BtfEnumerator> Btf::enumerators_of(BtfTypeId id) const {
  const btf_type* entry = type(id);
  std::vector<BtfEnumerator> result;
  result.reserve(btf_vlen(entry));
  for (std::uint32_t i = 0; i < btf_vlen(entry); ++i) {
    if (btf_is_enum64(entry)) {
      const auto& value = btf_enum64(entry)[i];
      result.push_back({name_at(value.name_off), static_cast<std::int64_t>(btf_enum64_value(&value))});
    } else {
      const auto& value = btf_enum(entry)[i];
      const bool is_signed = btf_kflag(entry);
      result.push_back({name_at(value.name_off), is_signed
                                                     ? std::int64_t{value.val}
                                                     : std::int64_t{static_cast<std::uint32_t>(value.val)}});
    }
  }
  return result;
}

std::vector<BtfEnumerator> Btf::enumerators(std::string_view name) const {
  const auto found = named_enums_.find(name);
  if (found != named_enums_.end()) return enumerators_of(found->second);
  return base_ ? base_->enumerators(name) : std::vector<BtfEnumerator>();
}

std::optional<std::int64_t> Btf::enumerator(std::string_view name) const {
  for (const BtfTypeId id : enums_)
    for (const BtfEnumerator& candidate : enumerators_of(id))
      if (candidate.name == name) return candidate.value;
  return base_ ? base_->enumerator(name) : std::nullopt;
}

std::vector<BtfVariable> Btf::variables(BtfTypeId section) const {
  const btf_type* entry = type(section);
  std::vector<BtfVariable> result;
  if (entry == nullptr || !btf_is_datasec(entry)) return result;
  result.reserve(btf_vlen(entry));
  for (std::uint32_t i = 0; i < btf_vlen(entry); ++i) {
    const btf_var_secinfo& place = btf_var_secinfos(entry)[i];
    const btf_type* variable = type(BtfTypeId{place.type});
    if (variable == nullptr || !btf_is_var(variable)) continue;
    result.push_back({name_at(variable->name_off), BtfTypeId{variable->type}, place.offset, place.size});
  }
  return result;
}

std::string_view Btf::name_of(BtfTypeId id) const {
  const btf_type* entry = type(id);
  return entry == nullptr ? std::string_view() : name_at(entry->name_off);
}

}  // namespace ktstr::introspect
