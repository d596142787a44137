#include "introspect/arena/slot_index.h"

namespace ktstr::introspect {

void ArenaSlotIndex::add(const SdtSlotKind& kind, const std::vector<std::uint64_t>& addresses) {
  if (kind.payload == BtfTypeId{} || kind.elem_size <= kind.header_bytes || kind.elem_size >> 32 != 0) return;
  kinds_.push_back(kind);
  for (const std::uint64_t address : addresses)
    slots_.try_emplace(static_cast<std::uint32_t>(address), kinds_.size() - 1);
}

std::optional<ArenaObject> ArenaSlotIndex::find(std::uint64_t address) const {
  const auto low = static_cast<std::uint32_t>(address);
  auto slot = slots_.upper_bound(low);
  if (slot == slots_.begin()) return std::nullopt;
  --slot;
  const SdtSlotKind& kind = kinds_[slot->second];
  const std::uint64_t within = low - slot->first;
  if (within != 0 && within != kind.header_bytes) return std::nullopt;
  return ArenaObject{{kind.btf.get(), kind.payload}, kind.header_bytes - within};
}

}  // namespace ktstr::introspect
