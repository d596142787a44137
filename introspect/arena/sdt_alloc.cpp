#include "introspect/arena/sdt_alloc.h"

#include <algorithm>
#include <cstring>

#include "introspect/arena/names.h"
#include "introspect/arena/payload_type.h"
#include "introspect/arena/sdt_layout.h"
#include "introspect/arena/sdt_walk.h"
#include "introspect/arena/section_variables.h"
#include "introspect/render/render.h"

namespace ktstr::introspect {

namespace {

class AllocatorReader {
 public:
  AllocatorReader(const ArenaReader& arena, const ProgramSection& bss, const SdtLayout& layout,
                  const RenderContext& context)
      : arena_(arena), bss_(bss), layout_(layout), context_(context) {}

  void read(const SectionVariable& variable, SdtAllocations& out);

 private:
  [[nodiscard]] SdtAllocEntry read_entry(std::uint64_t slot, const SdtSlotKind& kind);
  [[nodiscard]] RenderedValue render_payload(std::uint64_t address, const SdtSlotKind& kind);

  const ArenaReader& arena_;
  const ProgramSection& bss_;
  const SdtLayout& layout_;
  const RenderContext& context_;
  std::size_t nodes_left_ = kMaxSdtValues;
};

void AllocatorReader::read(const SectionVariable& variable, SdtAllocations& out) {
  const std::uint64_t elem_size = u64_member(*bss_.btf, variable, "pool.elem_size").value_or(0);
  const std::uint64_t root = u64_member(*bss_.btf, variable, "root").value_or(0);
  if (elem_size == 0 && root == 0) return;
  const std::uint64_t payload_bytes = elem_size - std::min(elem_size, layout_.header_bytes);
  const PayloadType payload = find_payload_type(*bss_.btf, payload_bytes, variable.name);
  const SdtSlotKind kind{bss_.btf, payload.type, elem_size, layout_.header_bytes};
  const SdtSlots slots = walk_sdt_tree(arena_, layout_, root);
  SdtAllocatorSnapshot snapshot;
  snapshot.allocator_name = variable.name;
  snapshot.truncated = slots.truncated || slots.addresses.size() > kMaxSdtAllocEntries;
  snapshot.skipped_subtrees = slots.skipped_subtrees;
  snapshot.elem_size = elem_size;
  snapshot.target_type_id = static_cast<std::uint32_t>(payload.type);
  snapshot.payload_type_reason = payload.reason;
  for (std::size_t i = 0; i < std::min(slots.addresses.size(), kMaxSdtAllocEntries); ++i)
    snapshot.entries.push_back(read_entry(slots.addresses[i], kind));
  if (payload.type != BtfTypeId{}) {
    out.kinds.push_back({variable.name, kind});
    out.slots.add(kind, slots.addresses);
    for (const SdtAllocEntry& entry : snapshot.entries)
      for (const std::uint64_t offset : {std::uint64_t{0}, layout_.header_bytes})
        out.rendered.insert(static_cast<std::uint32_t>(entry.user_addr + offset));
  }
  out.snapshots.push_back(std::move(snapshot));
}

SdtAllocEntry AllocatorReader::read_entry(std::uint64_t slot, const SdtSlotKind& kind) {
  SdtAllocEntry entry;
  entry.user_addr = static_cast<std::uint32_t>(slot);
  std::array<std::int32_t, 2> id{};  // union sdt_id: idx, genn
  if (!arena_.read(slot, std::as_writable_bytes(std::span(id)))) {
    entry.payload = {RenderedUnsupported{"the slot can't be read"}};
    return entry;
  }
  entry.idx = id[0];
  entry.genn = id[1];
  entry.payload = render_payload(slot + kind.header_bytes, kind);
  return entry;
}

RenderedValue AllocatorReader::render_payload(std::uint64_t address, const SdtSlotKind& kind) {
  const std::uint64_t size = kind.elem_size - std::min(kind.elem_size, kind.header_bytes);
  std::vector<std::byte> bytes(std::min(size, kMaxSdtPayloadBytes));
  if (!arena_.read(address, bytes)) return {RenderedUnsupported{"the payload can't be read"}};
  if (kind.payload != BtfTypeId{} && nodes_left_ > 0)
    return render_value(*kind.btf, kind.payload, bytes, context_, nodes_left_);
  RenderedValue raw{RenderedBytes{hex_dump(bytes)}};
  if (bytes.size() == size) return raw;
  return {RenderedTruncated{size, bytes.size(), Boxed(std::move(raw))}};
}

std::optional<std::string_view> reason_not_to_walk(const ArenaReader* arena, const ProgramSection& bss) {
  if (arena != nullptr && !arena->window().is_aligned()) return kSdtAllocUnalignedUserVm;
  if (bss.btf == nullptr || bss.bytes.empty()) return kSdtAllocNoBss;
  if (arena == nullptr) return kSdtAllocNoArena;
  return std::nullopt;
}

}  // namespace

SdtAllocations read_sdt_allocations(const ArenaReader* arena, const ProgramSection& bss,
                                    const RenderContext& context) {
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
  AllocatorReader reader(*arena, bss, *layout, context);
  for (const SectionVariable& variable : variables_of(*bss.btf, bss.type, bss.bytes, "scx_allocator"))
    reader.read(variable, result);
  if (result.snapshots.empty()) result.unavailable = kSdtAllocNoInstance;
  return result;
}

const SdtAllocatorKind* kind_for_map(const std::vector<SdtAllocatorKind>& kinds, std::string_view map_name) {
  if (kinds.size() == 1) return &kinds.front();
  const std::string_view stem = without_suffix(map_name, "_map");
  const auto matches = [stem](const SdtAllocatorKind& kind) {
    return without_suffix(kind.allocator_name, "_allocator") == stem;
  };
  return std::ranges::count_if(kinds, matches) == 1 ? &*std::ranges::find_if(kinds, matches) : nullptr;
}

}  // namespace ktstr::introspect
