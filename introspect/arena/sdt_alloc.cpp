#include "introspect/arena/sdt_alloc.h"

#include <array>

#include "introspect/arena/program_types.h"
#include "introspect/arena/sdt_walk.h"
#include "introspect/render/render.h"

namespace ktstr::introspect {
namespace {

std::uint64_t payload_bytes(const SdtSlotKind& kind) {
  return kind.elem_size - std::min(kind.elem_size, kind.header_bytes);
}

void note_slots(const SdtAllocator& allocator, SdtAllocations& out) {
  if (allocator.kind.payload == BtfTypeId{}) return;
  out.slots.add(allocator.kind, allocator.slots.places);
  for (const ArenaPlace slot : allocator.shown())
    for (const std::uint64_t offset : {std::uint64_t{0}, allocator.kind.header_bytes})
      out.rendered.insert(static_cast<ArenaPlace>(slot + offset));
}

void find_slots(const ArenaReader& arena, const ProgramSection& bss, const SdtLayout& layout,
                const SectionVariable& variable, ReadBudget* budget, SdtAllocations& out) {
  const std::uint64_t elem_size = u64_member(*bss.btf, variable, "pool.elem_size").value_or(0);
  const std::uint64_t root = u64_member(*bss.btf, variable, "root").value_or(0);
  if (elem_size == 0 && root == 0) return;
  SdtSlotKind kind{bss.btf, {}, elem_size, layout.header_bytes};
  PayloadType payload = find_payload_type(*bss.btf, payload_bytes(kind), variable.name);
  kind.payload = payload.type;
  out.allocators.push_back({variable.name, std::move(kind), std::move(payload.reason),
                            walk_sdt_tree(arena, layout, root, budget)});
  note_slots(out.allocators.back(), out);
}

std::optional<std::string_view> reason_not_to_walk(const ArenaReader* arena, const ProgramSection& bss) {
  if (arena != nullptr && !arena->window().is_aligned()) return kSdtAllocUnalignedUserVm;
  if (bss.btf == nullptr || bss.bytes.empty()) return kSdtAllocNoBss;
  if (arena == nullptr) return kSdtAllocNoArena;
  return std::nullopt;
}

RenderedValue render_payload(const ArenaReader& arena, ArenaPlace slot, const SdtSlotKind& kind,
                             const RenderContext& context, std::size_t& nodes_left) {
  const auto bytes = read_sdt_payload(arena, slot, kind);
  if (!bytes) return {RenderedUnsupported{"the payload can't be read"}};
  if (kind.payload != BtfTypeId{} && nodes_left > 0)
    return render_value(*kind.btf, kind.payload, *bytes, context, nodes_left);
  RenderedValue raw{RenderedBytes{hex_dump(*bytes)}};
  if (bytes->size() == payload_bytes(kind)) return raw;
  return {RenderedTruncated{payload_bytes(kind), bytes->size(), Boxed(std::move(raw))}};
}

SdtAllocEntry render_entry(const ArenaReader& arena, ArenaPlace slot, const SdtSlotKind& kind,
                           const RenderContext& context, std::size_t& nodes_left) {
  SdtAllocEntry entry;
  entry.user_addr = slot;
  std::array<std::int32_t, 2> id{};  // union sdt_id: idx, genn
  if (!arena.read_at(slot, std::as_writable_bytes(std::span(id)))) {
    entry.payload = {RenderedUnsupported{"the slot can't be read"}};
    return entry;
  }
  entry.idx = id[0];
  entry.genn = id[1];
  entry.payload = render_payload(arena, slot, kind, context, nodes_left);
  return entry;
}

}  // namespace

void ArenaSlotIndex::add(const SdtSlotKind& kind, std::span<const ArenaPlace> places) {
  if (kind.payload == BtfTypeId{} || kind.elem_size <= kind.header_bytes || kind.elem_size >> 32 != 0) return;
  kinds_.push_back(kind);
  for (const ArenaPlace place : places) slots_.try_emplace(place, kinds_.size() - 1);
}

std::optional<ArenaObject> ArenaSlotIndex::find(ArenaPlace place) const {
  auto slot = slots_.upper_bound(place);
  if (slot == slots_.begin()) return std::nullopt;
  --slot;
  const SdtSlotKind& kind = kinds_[slot->second];
  const std::uint64_t within = place - slot->first;
  if (within != 0 && within != kind.header_bytes) return std::nullopt;
  return ArenaObject{{kind.btf.get(), kind.payload}, kind.header_bytes - within};
}

SdtAllocations find_sdt_allocations(const ArenaReader* arena, const ProgramSection& bss, ReadBudget* budget) {
  SdtAllocations result;
  if (const auto reason = reason_not_to_walk(arena, bss)) {
    result.unavailable = *reason;
    return result;
  }
  const auto layout = SdtLayout::resolve(*bss.btf);
  if (!layout) {
    result.unavailable = kSdtAllocNoType;
    return result;
  }
  for (const SectionVariable& variable : variables_of(*bss.btf, bss.type, bss.bytes, "scx_allocator")) {
    if (result.allocators.size() == kMaxSdtAllocators) {
      result.allocators.back().slots.truncated = true;
      break;
    }
    find_slots(*arena, bss, *layout, variable, budget, result);
  }
  if (result.allocators.empty()) result.unavailable = kSdtAllocNoInstance;
  return result;
}

std::optional<std::vector<std::byte>> read_sdt_payload(const ArenaReader& arena, ArenaPlace slot,
                                                       const SdtSlotKind& kind) {
  std::vector<std::byte> bytes(std::min(payload_bytes(kind), kMaxSdtPayloadBytes));
  if (!arena.read_at(slot + kind.header_bytes, bytes)) return std::nullopt;
  return bytes;
}

SdtAllocatorSnapshot render_sdt_allocator(const ArenaReader& arena, const SdtAllocator& allocator,
                                          const RenderContext& context, std::size_t& nodes_left) {
  SdtAllocatorSnapshot snapshot;
  snapshot.allocator_name = allocator.name;
  snapshot.truncated = allocator.slots.truncated || allocator.slots.places.size() > kMaxSdtAllocEntries;
  snapshot.skipped_subtrees = allocator.slots.skipped_subtrees;
  snapshot.elem_size = allocator.kind.elem_size;
  snapshot.target_type_id = static_cast<std::uint32_t>(allocator.kind.payload);
  snapshot.payload_type_reason = allocator.payload_type_reason;
  for (const ArenaPlace slot : allocator.shown())
    snapshot.entries.push_back(render_entry(arena, slot, allocator.kind, context, nodes_left));
  return snapshot;
}

const SdtAllocator* allocator_for_map(const std::vector<SdtAllocator>& allocators,
                                      std::string_view map_name) {
  const std::string_view stem = without_suffix(map_name, "_map");
  std::vector<const SdtAllocator*> typed;
  std::vector<const SdtAllocator*> named;
  for (const SdtAllocator& allocator : allocators) {
    if (allocator.kind.payload == BtfTypeId{}) continue;
    typed.push_back(&allocator);
    if (without_suffix(allocator.name, "_allocator") == stem) named.push_back(&allocator);
  }
  if (typed.size() == 1) return typed.front();
  return named.size() == 1 ? named.front() : nullptr;
}

}  // namespace ktstr::introspect
