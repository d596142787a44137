#include "introspect/render/render.h"

#include <bpf/btf.h>

#include <algorithm>

#include "engine/base/printable.h"
#include "introspect/render/renderer.h"
#include "introspect/render/scalars.h"

namespace ktstr::introspect {

RenderedValue unsupported(std::string reason) {
  return {RenderedUnsupported{std::move(reason)}};
}
RenderedValue truncated(std::uint64_t needed, std::uint64_t had, RenderedValue partial) {
  return {RenderedTruncated{needed, had, Boxed(std::move(partial))}};
}
RenderedValue truncated(std::uint64_t needed, std::span<const std::byte> bytes) {
  return truncated(needed, bytes.size(), {RenderedBytes{hex_dump(bytes)}});
}

RenderedValue render_value(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                           const RenderContext& context) {
  std::size_t nodes_left = kMaxRenderedNodes;
  return render_value(btf, type, bytes, context, nodes_left);
}

RenderedValue render_value(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                           const RenderContext& context, std::size_t& nodes_left) {
  Renderer renderer(context, std::min(nodes_left, kMaxRenderedNodes));
  auto value = renderer.render(btf, type, bytes, 0);
  nodes_left -= renderer.nodes_taken();
  return value;
}

RenderedValue render_bits(const Btf& btf, BtfTypeId type, std::span<const std::byte> bytes,
                          std::uint64_t offset, std::uint32_t width) {
  return Renderer(RenderContext(), kMaxRenderedNodes).render_bitfield(btf, type, bytes, offset, width);
}

RenderedValue Renderer::render(const Btf& btf, BtfTypeId type, Bytes bytes, unsigned depth) {
  if (depth > kMaxRenderDepth)
    return unsupported("nested deeper than " + std::to_string(kMaxRenderDepth) + " levels");
  if (!take_node()) return unsupported("more than " + std::to_string(max_nodes_) + " values");
  const BtfTypeId id = btf.strip(type);
  const btf_type* entry = btf.type(id);
  if (entry == nullptr)
    return unsupported("no type " + std::to_string(static_cast<std::uint32_t>(id)) + " in this BTF");
  switch (btf_kind(entry)) {
    case BTF_KIND_INT:
      return render_int(btf, *entry, bytes);
    case BTF_KIND_FLOAT:
      charge(std::min<std::size_t>(bytes.size(), entry->size));
      return bytes.size() < entry->size ? truncated(entry->size, bytes)
                                        : render_float(bytes.first(entry->size));
    case BTF_KIND_ENUM:
    case BTF_KIND_ENUM64:
      return render_enum(btf, *entry, bytes);
    case BTF_KIND_PTR:
      return render_pointer(btf, *entry, bytes, depth);
    case BTF_KIND_ARRAY:
      return render_array(btf, *entry, bytes, depth);
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return render_struct({btf, id, *entry, bytes, depth});
    case BTF_KIND_DATASEC:
      return render_datasec({btf, id, *entry, bytes, depth});
    case BTF_KIND_VAR:
      return render(btf, BtfTypeId{entry->type}, bytes, depth + 1);
    case BTF_KIND_FWD:
      return unsupported("forward declaration of " + printable(btf.name_at(entry->name_off)));
    case BTF_KIND_FUNC:
    case BTF_KIND_FUNC_PROTO:
      return unsupported("a function");
    case BTF_KIND_UNKN:
      return unsupported("void");
    default:
      return unsupported("BTF kind " + std::to_string(btf_kind(entry)));
  }
}

RenderedValue Renderer::render_int(const Btf& btf, const btf_type& type, Bytes bytes) {
  if (bytes.size() < type.size) return truncated(type.size, bytes);
  const std::uint32_t width = btf_int_bits(&type);
  charge(type.size);
  if (width > 64) return render_wide_int(type, bytes.first(type.size));
  const auto bits = read_bits(bytes.first(type.size), btf_int_offset(&type), width);
  if (!bits || width == 0) return unsupported("an integer that does not fit its size");
  return render_int_bits(btf, type, *bits, width);
}

RenderedValue Renderer::render_enum(const Btf& btf, const btf_type& type, Bytes bytes) {
  charge(std::min<std::size_t>(bytes.size(), type.size));
  if (bytes.size() < type.size) return truncated(type.size, bytes);
  const auto bits = read_bits(bytes, 0, type.size * 8);
  if (!bits || type.size == 0 || type.size > 8)
    return unsupported("an enum of " + std::to_string(type.size) + " bytes");
  nodes_ += btf_vlen(&type) / 64;  // so that searching many enumerators for many values has an end
  return render_enum_bits(btf, type, *bits, type.size * 8);
}

}  // namespace ktstr::introspect
