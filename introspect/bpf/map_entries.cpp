#include "introspect/bpf/map_entries.h"

#include <algorithm>

#include "engine/base/check.h"

namespace ktstr::introspect {

MapEntries::MapEntries(std::uint32_t key_size, std::uint32_t value_size, std::uint32_t slots)
    : key_size_(key_size),
      value_size_(value_size),
      slots_(slots),
      stride_(key_size + std::size_t{value_size} * slots) {}

std::size_t MapEntries::capacity_for(std::uint64_t bytes) const {
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, bytes / cost()));
}

std::span<std::byte> MapEntries::append() {
  bytes_.resize(bytes_.size() + stride_);
  if (!absent_.empty()) absent_.resize(absent_.size() + slots_);
  return std::span(bytes_).subspan(count_++ * stride_);
}

void MapEntries::mark_absent(std::size_t entry, std::size_t slot) {
  KTSTR_CHECK(entry < count_ && slot < slots_);
  absent_.resize(count_ * slots_);
  absent_[entry * slots_ + slot] = true;
}

void MapEntries::cut(std::size_t entries) {
  if (entries >= count_) return;
  count_ = entries;
  bytes_.resize(count_ * stride_);
  if (!absent_.empty()) absent_.resize(count_ * slots_);
}

}  // namespace ktstr::introspect
