#include "introspect/bpf/contents.h"

#include <algorithm>
#include <numeric>

#include "engine/base/check.h"

namespace ktstr::introspect {
namespace {

std::uint64_t bytes_of(const ValueContents& contents) {
  return contents.entries.memory_bytes();
}
std::uint64_t bytes_of(const LocalStorageContents& contents) {
  return contents.entries.memory_bytes() + contents.owners.size() * sizeof(StorageOwner);
}
std::uint64_t bytes_of(const RingbufContents& contents) {
  return std::accumulate(contents.records.begin(), contents.records.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const RingbufRecord& record) {
                           return sum + sizeof(record) + record.bytes.size();
                         });
}
std::uint64_t bytes_of(const StackTraceContents& contents) {
  return std::accumulate(
      contents.buckets.begin(), contents.buckets.end(), std::uint64_t{0},
      [](std::uint64_t sum, const StackTraceBucket& bucket) { return sum + bucket.memory_bytes(); });
}
std::uint64_t bytes_of(const FdArrayContents& contents) {
  return contents.keys.memory_bytes() + contents.slots.size() * sizeof(FdSlot);
}
std::uint64_t bytes_of(const BloomContents& contents) {
  return contents.words.size() * sizeof(std::uint64_t);
}
std::uint64_t bytes_of(const StructOpsContents& contents) {
  return contents.kernel_value.size() + contents.user_value.size();
}
std::uint64_t bytes_of(const ArenaContents& contents) {
  return sizeof(contents);
}

}  // namespace

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

std::uint64_t memory_bytes(const MapContents& contents) {
  return std::visit([](const auto& family) { return bytes_of(family); }, contents);
}

}  // namespace ktstr::introspect
