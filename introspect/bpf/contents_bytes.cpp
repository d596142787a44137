#include <numeric>

#include "introspect/bpf/contents.h"

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

std::uint64_t memory_bytes(const MapContents& contents) {
  return std::visit([](const auto& family) { return bytes_of(family); }, contents);
}

}  // namespace ktstr::introspect
