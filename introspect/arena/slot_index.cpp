#include "introspect/arena/slot_index.h"

namespace ktstr::introspect {

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

}  // namespace ktstr::introspect
