#include "tests/truth/read_entries.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>
#include <variant>

namespace ktstr::truth {
namespace {

using namespace introspect;

template <class T>
Bytes bytes_of(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {bytes.begin(), bytes.end()};
}

Bytes copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

Bytes key_of(const MapEntries& entries, std::size_t i) {
  return entries.key_size() == 0 ? bytes_of(static_cast<std::uint32_t>(i)) : copy(entries.key(i));
}

std::vector<DumpedEntry> convert(const ValueContents& contents, const BpfMapInfo&) {
  std::vector<DumpedEntry> dumped;
  const MapEntries& entries = contents.entries;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    DumpedEntry entry{key_of(entries, i), {}};
    for (std::size_t slot = 0; slot < entries.slots(); ++slot) {
      const auto value = entries.value(i, slot);
      entry.values.push_back(value ? copy(*value) : Bytes());
    }
    dumped.push_back(std::move(entry));
  }
  return dumped;
}

/// A value is the id of what the slot refers to.
std::vector<DumpedEntry> convert(const FdArrayContents& contents, const BpfMapInfo&) {
  std::vector<DumpedEntry> dumped;
  for (const FdSlot& slot : contents.slots) {
    Bytes key = contents.keys.empty() ? bytes_of(slot.index) : copy(contents.keys.key(slot.index));
    Bytes id = slot.id ? bytes_of(static_cast<std::uint32_t>(*slot.id)) : Bytes();
    dumped.push_back({std::move(key), {std::move(id)}});
  }
  return dumped;
}

/// The kernel pads a trace with zeros.
std::vector<DumpedEntry> convert(const StackTraceContents& contents, const BpfMapInfo& map) {
  std::vector<DumpedEntry> dumped;
  for (const StackTraceBucket& bucket : contents.buckets) {
    Bytes value = bucket.data;
    value.resize(map.value_size);
    dumped.push_back({bytes_of(bucket.bucket_id), {std::move(value)}});
  }
  return dumped;
}

/// The kernel answers with what user space wrote, and its own reference count and state before it
/// (bpf_struct_ops_map_sys_lookup_elem()).
std::vector<DumpedEntry> convert(const StructOpsContents& contents, const BpfMapInfo&) {
  Bytes value = contents.user_value;
  if (value.size() >= 8) {
    std::memset(value.data(), 0, 4);
    std::memcpy(value.data() + 4, &contents.state, 4);
  }
  return {{bytes_of(std::uint32_t{0}), {std::move(value)}}};
}

}  // namespace

std::optional<std::vector<DumpedEntry>> as_dumped(const BpfMapInfo& map, const MapContents& contents) {
  auto dumped = std::visit(
      [&map](const auto& family) -> std::optional<std::vector<DumpedEntry>> {
        if constexpr (requires { convert(family, map); })
          return convert(family, map);
        else
          return std::nullopt;
      },
      contents);
  if (dumped) std::ranges::sort(*dumped);
  return dumped;
}

bool is_whole(const MapContents& contents) {
  return std::visit(
      [](const auto& family) {
        if constexpr (requires { family.marks; })
          return family.marks.whole();
        else
          return true;
      },
      contents);
}

}  // namespace ktstr::truth
