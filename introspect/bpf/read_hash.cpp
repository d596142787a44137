// HASH, LRU_HASH, PERCPU_HASH and LRU_PERCPU_HASH.
#include <algorithm>

#include "introspect/bpf/hash_walk.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

/// Growing step by step would touch twice the memory, and fresh pages are dear.
constexpr std::uint64_t kReserveAtMostBytes = 8U << 20;

std::size_t entry_cap(const ReadContext& context, MapEntries& entries) {
  const std::size_t cap =
      std::min<std::size_t>(context.limits.hash_entries, entries.capacity_for(context.limits.bytes));
  entries.reserve(
      std::min<std::size_t>({cap, context.map.max_entries, entries.capacity_for(kReserveAtMostBytes)}));
  return cap;
}

}  // namespace

Result<ValueContents> read_hash(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  KTSTR_TRY(check_entry_size(context));
  HashWalk walk = KTSTR_TRY(HashWalk::open(context, map.value_size));
  ValueContents contents{MapEntries(map.key_size, map.value_size), {}};
  MapEntries& entries = contents.entries;
  const std::size_t cap = entry_cap(context, entries);
  walk.run(
      cap, contents.marks,
      [&](KernelVirt, std::span<const std::byte> key, std::span<const std::byte> value) {
        const auto target = entries.append();
        std::ranges::copy(value, std::ranges::copy(key, target.begin()).out);
        return true;
      },
      [&](std::size_t again) { entries.cut(entries.size() - again); });
  return contents;
}

Result<ValueContents> read_percpu_hash(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const PerCpuValues values(kernel);
  KTSTR_TRY(check_entry_size(context, values.slots()));
  HashWalk walk = KTSTR_TRY(HashWalk::open(context, sizeof(KernelVirt)));
  ValueContents contents{MapEntries(map.key_size, map.value_size, values.slots()), {}};
  MapEntries& entries = contents.entries;
  const std::size_t cap = entry_cap(context, entries);
  walk.run(
      cap, contents.marks,
      [&](KernelVirt, std::span<const std::byte> key, std::span<const std::byte> value) {
        KernelVirt pointer;
        std::memcpy(&pointer, value.data(), sizeof(pointer));
        entries.append();
        std::ranges::copy(key, entries.key_bytes(entries.size() - 1).begin());
        values.read(pointer, entries.size() - 1, contents);
        return true;
      },
      [&](std::size_t again) { entries.cut(entries.size() - again); });
  return contents;
}

}  // namespace ktstr::introspect
