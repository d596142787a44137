// Arrays, structs, unions and datasecs.
#include <bpf/btf.h>

#include <algorithm>

#include "engine/base/printable.h"
#include "introspect/render/renderer.h"
#include "introspect/render/scalars.h"
#include "introspect/render/special_types.h"

namespace ktstr::introspect {

namespace {

std::span<const std::byte> slice(std::span<const std::byte> bytes, std::uint64_t offset,
                                 std::uint64_t length) {
  if (offset >= bytes.size()) return {};
  return bytes.subspan(offset, std::min<std::uint64_t>(length, bytes.size() - offset));
}

std::optional<std::string> name_of(const Btf& btf, const btf_type& type) {
  const auto name = btf.name_at(type.name_off);
  return name.empty() ? std::nullopt : std::optional(printable(name));
}

/// A flexible array ("type x[]") at the end of a structure: what the last member `index` is, if it is one.
std::optional<BtfTypeId> flexible_element(const Btf& btf, const btf_type& structure, std::uint32_t index) {
  if (!btf_is_struct(&structure) || index + 1 != btf_vlen(&structure)) return std::nullopt;
  const btf_type* member = btf.type(btf.strip(BtfTypeId{btf_members(&structure)[index].type}));
  if (member == nullptr || !btf_is_array(member) || btf_array(member)->nelems != 0) return std::nullopt;
  return BtfTypeId{btf_array(member)->type};
}

}  // namespace

RenderedValue Renderer::render_array(const Btf& btf, const btf_type& type, Bytes bytes, unsigned depth) {
  const struct btf_array& array = *btf_array(&type);
  return render_elements(btf, BtfTypeId{array.type}, array.nelems, bytes, depth);
}

RenderedValue Renderer::render_elements(const Btf& btf, BtfTypeId element, std::uint64_t count, Bytes bytes,
                                        unsigned depth) {
  const auto size = btf.size_of(element);
  const btf_type* element_type = btf.type(btf.strip(element));
  if (count == 0) return {RenderedArray{}};
  if (!size || *size == 0 || element_type == nullptr || btf_is_var(element_type))
    return unsupported("an array of a type without size");
  const std::uint64_t fitting = std::min<std::uint64_t>(count, bytes.size() / *size);
  const std::uint64_t shown = std::min<std::uint64_t>(fitting, kMaxRenderedElements);
  RenderedValue result;
  if (shown > 0 && is_char_type(btf, *element_type)) {
    charge(shown);
    result.data = RenderedText{count, std::string(reinterpret_cast<const char*>(bytes.data()), shown)};
  } else {
    RenderedArray array{count, {}};
    array.elements.reserve(std::min<std::uint64_t>(shown, max_nodes_ - nodes_taken()));
    for (std::uint64_t i = 0; i < shown && !exhausted(); ++i)
      array.elements.push_back(render(btf, element, bytes.subspan(i * *size, *size), depth + 1));
    result.data = std::move(array);
  }
  if (fitting == count) return result;
  return truncated(count * *size, bytes.size(), std::move(result));
}

RenderedValue Renderer::render_struct(const Aggregate& aggregate) {
  const auto& btf = aggregate.btf;
  const auto& type = aggregate.type;
  const Bytes own = aggregate.bytes.first(std::min<std::size_t>(aggregate.bytes.size(), type.size));
  const bool whole = own.size() == type.size;
  if (const auto mask = whole ? find_cpu_mask(btf, aggregate.id) : std::nullopt)
    return {
        RenderedCpuList{cpu_list(own.subspan(mask->offset_bytes, mask->size_bytes), context_.nr_cpu_ids())}};
  RenderedStruct result{name_of(btf, type), {}};
  if (const std::size_t pointers = opaque_pointers(btf.name_at(type.name_off)); pointers != 0 && whole)
    return render_opaque(aggregate, pointers);
  result.members.reserve(std::min<std::size_t>(btf_vlen(&type), kMaxRenderedElements));
  for (std::uint32_t i = 0; i < btf_vlen(&type); ++i) {
    const auto name = btf.name_at(btf_members(&type)[i].name_off);
    charge(name.size());
    result.members.push_back({printable(name), render_member(aggregate, i)});
    if (exhausted()) break;
  }
  if (whole) return {std::move(result)};
  return truncated(type.size, own.size(), {std::move(result)});
}

RenderedValue Renderer::render_member(const Aggregate& aggregate, std::uint32_t index) {
  const auto& btf = aggregate.btf;
  const auto& type = aggregate.type;
  const BtfTypeId member_type{btf_members(&type)[index].type};
  const Bytes own = aggregate.bytes.first(std::min<std::size_t>(aggregate.bytes.size(), type.size));
  const std::uint64_t bit_offset = btf_member_bit_offset(&type, index);
  if (const std::uint32_t width = btf_member_bitfield_size(&type, index))
    return render_bitfield(btf, member_type, own, bit_offset, width);
  const btf_type* stripped = btf.type(btf.strip(member_type));
  if (stripped && btf_is_int(stripped) &&
      (bit_offset % 8 != 0 || btf_int_bits(stripped) < stripped->size * 8))
    return render_bitfield(btf, member_type, own, bit_offset + btf_int_offset(stripped),
                           btf_int_bits(stripped));
  if (bit_offset % 8 != 0) return unsupported("a member that begins within a byte");
  const std::uint64_t offset = bit_offset / 8;
  if (const auto element = flexible_element(btf, type, index)) {
    const Bytes rest = slice(aggregate.bytes, offset, aggregate.bytes.size());
    const auto size = btf.size_of(*element).value_or(0);
    return take_node() && size != 0
               ? render_elements(btf, *element, rest.size() / size, rest, aggregate.depth + 1)
               : RenderedValue{RenderedArray{}};
  }
  if (auto pointer = render_inferred(aggregate, member_type, offset)) return *std::move(pointer);
  return render(btf, member_type, slice(own, offset, btf.size_of(member_type).value_or(0)),
                aggregate.depth + 1);
}

RenderedValue Renderer::render_bitfield(const Btf& btf, BtfTypeId type, Bytes bytes, std::uint64_t offset,
                                        std::uint32_t width) {
  if (!take_node() || width == 0 || width > 64)
    return unsupported("a bitfield of " + std::to_string(width) + " bits");
  const btf_type* entry = btf.type(btf.strip(type));
  const auto bits = read_bits(bytes, offset, width);
  if (!bits) return truncated((offset % 8 + width + 7) / 8, slice(bytes, offset / 8, 9));
  if (entry && btf_is_int(entry)) return render_int_bits(btf, *entry, *bits, width);
  if (entry && btf_is_any_enum(entry)) return render_enum_bits(btf, *entry, *bits, width);
  return unsupported("a bitfield that is neither integer nor enum");
}

RenderedValue Renderer::render_opaque(const Aggregate& aggregate, std::size_t pointers) {
  const auto& btf = aggregate.btf;
  const auto& type = aggregate.type;
  RenderedArray words{type.size / 8, {}};
  for (std::size_t i = 0; i < words.len; ++i) {
    const std::uint64_t word = read_bits(aggregate.bytes, i * 64, 64).value_or(0);
    if (!take_node()) break;
    words.elements.push_back(i < pointers ? RenderedValue{RenderedPtr{word, {}}}
                                          : RenderedValue{RenderedUint{64, word}});
  }
  RenderedStruct result{name_of(btf, type), {}};
  result.members.push_back({"__opaque", {std::move(words)}});
  return {std::move(result)};
}

RenderedValue Renderer::render_datasec(const Aggregate& aggregate) {
  const auto& btf = aggregate.btf;
  const auto& type = aggregate.type;
  RenderedStruct result{name_of(btf, type), {}};
  result.members.reserve(std::min<std::size_t>(btf_vlen(&type), kMaxRenderedElements));
  for (std::uint32_t i = 0; i < btf_vlen(&type); ++i) {
    const btf_var_secinfo& place = btf_var_secinfos(&type)[i];
    const btf_type* variable = btf.type(BtfTypeId{place.type});
    if (variable == nullptr || !btf_is_var(variable)) continue;
    const BtfTypeId variable_type{variable->type};
    auto value = render_inferred(aggregate, variable_type, place.offset);
    if (!value)
      value =
          render(btf, variable_type, slice(aggregate.bytes, place.offset, place.size), aggregate.depth + 1);
    const auto name = btf.name_at(variable->name_off);
    charge(name.size());
    result.members.push_back({printable(name), *std::move(value)});
    if (exhausted()) break;
  }
  return {std::move(result)};
}

}  // namespace ktstr::introspect
