// Pointers: what is known of where they point.
#include <bpf/btf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "introspect/render/renderer.h"
#include "introspect/render/scalars.h"
#include "introspect/render/special_types.h"

namespace ktstr::introspect {

namespace {

constexpr std::size_t kMaxPointees = 512;  // followed in one render_value() call
constexpr std::string_view kByAllocator = "sdt_alloc";

bool is_empty(const RenderedTarget& target) {
  return !target.deref && !target.deref_skipped_reason && !target.cast_annotation && !target.symbol;
}

RenderedValue pointer(std::uint64_t value, RenderedTarget target) {
  RenderedPtr result{value, {}};
  if (!is_empty(target)) result.target = Boxed(std::move(target));
  return {std::move(result)};
}

/// Whether an allocator may know more of the object than the declaration says: void, a declared-only struct,
/// or the allocator's own header.
bool is_vague(const Btf& btf, const btf_type* type) {
  return type == nullptr || btf_is_void(type) || btf_is_fwd(type) ||
         (btf_is_struct(type) && btf.name_at(type->name_off) == "sdt_data");
}

}  // namespace

RenderedValue Renderer::render_pointer(const Btf& btf, const btf_type& type, Bytes bytes, unsigned depth) {
  const auto value = read_bits(bytes, 0, 64);
  if (!value) return truncated(8, bytes);
  if (*value == 0) return {RenderedPtr{}};
  const TypeInBtf pointee{&btf, btf.strip(BtfTypeId{type.type})};
  if (context_.is_arena_address(*value)) return pointer(*value, follow_arena(*value, pointee, depth));
  RenderedTarget target;
  if (find_cpu_mask(btf, pointee.type)) target = follow_kernel(*value, pointee, depth);
  target.symbol = context_.symbolize(*value);
  return pointer(*value, std::move(target));
}

std::optional<RenderedValue> Renderer::render_inferred(const Aggregate& aggregate, BtfTypeId type,
                                                       std::uint64_t offset) {
  const auto& btf = aggregate.btf;
  const btf_type* entry = btf.type(btf.strip(type));
  if (entry == nullptr || !btf_is_int(entry) || entry->size != 8 || offset > aggregate.bytes.size())
    return std::nullopt;
  const auto inferred = context_.infer_pointer(btf, aggregate.id, offset);
  const auto value = inferred ? read_bits(aggregate.bytes.subspan(offset), 0, 64) : std::nullopt;
  if (!value || *value == 0 || !take_node()) return std::nullopt;
  const bool in_arena = inferred->space == PointerSpace::kArena;
  if (in_arena && !context_.is_arena_address(*value)) return std::nullopt;
  RenderedTarget target = in_arena ? follow_arena(*value, inferred->pointee, aggregate.depth)
                                   : follow_kernel(*value, inferred->pointee, aggregate.depth);
  const std::string by = target.cast_annotation ? " (" + *target.cast_annotation + ')' : "";
  target.cast_annotation = (in_arena ? "cast→arena" : "cast→kernel") + by;
  return pointer(*value, std::move(target));
}

std::optional<std::string> Renderer::reason_not_to_follow(std::uint64_t address) const {
  if (std::ranges::find(path_, address) != path_.end()) return "cycle → " + fmt::format("{:#x}", address);
  if (std::ranges::find(shown_, address) != shown_.end()) return "already shown in this value";
  if (context_.is_already_rendered(address)) return "already rendered in sdt_allocations";
  if (shown_.size() + path_.size() >= kMaxPointees)
    return "more than " + std::to_string(kMaxPointees) + " pointers followed";
  return std::nullopt;
}

RenderedTarget Renderer::follow_arena(std::uint64_t address, TypeInBtf pointee, unsigned depth) {
  RenderedTarget target;
  target.deref_skipped_reason = reason_not_to_follow(address);
  if (target.deref_skipped_reason) return target;
  std::uint64_t object = address;
  const btf_type* type = pointee.btf->type(pointee.btf->strip(pointee.type));
  if (const auto known =
          is_vague(*pointee.btf, type) ? context_.arena_object(address, *pointee.btf) : std::nullopt) {
    pointee = known->type;
    object += known->header_bytes;
    target.cast_annotation = kByAllocator;
  } else if (type && btf_is_fwd(type)) {
    const auto found =
        context_.find_definition(*pointee.btf, pointee.btf->name_at(type->name_off), btf_kflag(type));
    if (!found) return target.deref_skipped_reason = "forward declaration; body not in this BTF", target;
    pointee = *found;
  } else if (type == nullptr || btf_is_void(type)) {
    target.deref_skipped_reason = "void pointee";
    return target;
  }
  path_.push_back(address);
  read_target(object, pointee, PointerSpace::kArena, depth, target);
  path_.pop_back();
  shown_.push_back(address);
  return target;
}

RenderedTarget Renderer::follow_kernel(std::uint64_t address, TypeInBtf pointee, unsigned depth) {
  RenderedTarget target;
  target.deref_skipped_reason = reason_not_to_follow(address);
  if (target.deref_skipped_reason) return target;
  path_.push_back(address);
  read_target(address, pointee, PointerSpace::kKernel, depth, target);
  path_.pop_back();
  shown_.push_back(address);
  return target;
}

void Renderer::read_target(std::uint64_t address, TypeInBtf pointee, PointerSpace space, unsigned depth,
                           RenderedTarget& target) {
  const auto size = pointee.btf->size_of(pointee.type);
  if (!size || *size == 0) return void(target.deref_skipped_reason = "pointee has no size");
  std::array<std::byte, kMaxPointeeBytes> buffer;
  const auto bytes = std::span(buffer).first(std::min<std::uint64_t>(*size, buffer.size()));
  const bool in_arena = space == PointerSpace::kArena;
  if (in_arena ? context_.read_arena(address, bytes) : context_.read_kernel(address, bytes))
    target.deref = render(*pointee.btf, pointee.type, bytes, depth + 1);
  else if (in_arena)
    target.deref_skipped_reason = "arena read failed (cross-page boundary or unmapped page)";
  else
    target.deref_skipped_reason = "kernel read_kva failed at " + fmt::format("{:#x}", address) +
                                  " (unmapped page or no PTE); needed " + std::to_string(bytes.size()) +
                                  " bytes";
}

}  // namespace ktstr::introspect
