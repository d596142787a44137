// ARRAY and PERCPU_ARRAY (kernel/bpf/arraymap.c); QUEUE and STACK, one ring of elements, taken from either
// end (kernel/bpf/queue_stack_maps.c).
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

/// How many keys to read, marking the rest as cut off.
std::uint32_t keys_to_read(const ReadContext& context, std::uint32_t cap, ValueContents& contents) {
  const std::size_t room = contents.entries.capacity_for(context.limits.bytes);
  const auto keys = static_cast<std::uint32_t>(std::min<std::size_t>({context.map.max_entries, cap, room}));
  if (keys < context.map.max_entries) contents.marks.cut("more keys than the cap");
  contents.entries.reserve(keys);
  return keys;
}

/// Appends the `count` elements at `start`, read as one piece, or one by one where the piece can't be.
void append_elements(const ReadContext& context, KernelVirt start, std::size_t count, std::size_t stride,
                     std::vector<std::byte>& piece, ValueContents& contents) {
  piece.resize(count * stride);
  const bool whole = context.kernel.read_bytes(start, piece);
  const std::size_t size = context.map.value_size;
  for (std::size_t i = 0; i < count; ++i) {
    const auto target = contents.entries.append();
    if (whole) {
      std::memcpy(target.data(), piece.data() + i * stride, size);
    } else if (!context.kernel.read_bytes(start + i * stride, target)) {
      contents.entries.mark_absent(contents.entries.size() - 1, 0);
      contents.marks.missed("an element can't be read");
    }
  }
}

}  // namespace

Result<ValueContents> read_array(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  KTSTR_TRY(check_entry_size(context));
  const std::size_t stride = padded(map.value_size);
  const KernelVirt elements = KTSTR_TRY(array_elements(kernel, layouts, map, stride));
  ValueContents contents{MapEntries(0, map.value_size), {}};
  const std::uint32_t keys = keys_to_read(context, limits.array_keys, contents);
  const std::size_t in_piece = std::max<std::size_t>(1, kPieceBytes / std::max<std::size_t>(1, stride));
  std::vector<std::byte> piece;
  for (std::size_t key = 0; key < keys; key += in_piece)
    append_elements(context, elements + key * stride, std::min<std::size_t>(in_piece, keys - key), stride,
                    piece, contents);
  return contents;
}

Result<ValueContents> read_percpu_array(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const PerCpuValues values(kernel);
  KTSTR_TRY(check_entry_size(context, values.slots()));
  const KernelVirt pointers = KTSTR_TRY(array_elements(kernel, layouts, map, padded(map.value_size)));
  ValueContents contents{MapEntries(0, map.value_size, values.slots()), {}};
  const std::uint32_t keys = keys_to_read(context, limits.per_cpu_keys, contents);
  for (std::uint32_t key = 0; key < keys; ++key) {
    const auto pointer = kernel.read<KernelVirt>(pointers + key * std::uint64_t{8});
    contents.entries.append();
    values.read(pointer, contents.entries.size() - 1, contents);
  }
  return contents;
}

Result<ValueContents> read_queue(const ReadContext& context) {
  const auto& [kernel, layouts, map, limits] = context;
  const BpfQueueLayout layout = KTSTR_TRY(layouts.queue);
  KTSTR_TRY(check_entry_size(context));
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, map.address)) return map_unreadable("struct bpf_queue_stack");
  const std::uint64_t head = *layout.head.read(bytes);
  const std::uint64_t tail = *layout.tail.read(bytes);
  const std::uint64_t size = *layout.size.read(bytes);  // one more than there may be elements
  if (size != std::uint64_t{map.max_entries} + 1 || head >= size || tail >= size)
    return corrupted(fmt::format("positions {} to {} of {}", tail, head, size));
  ValueContents contents{MapEntries(0, map.value_size), {}};
  const std::uint64_t count = (head + size - tail) % size;
  const std::uint64_t taken =
      std::min<std::uint64_t>({count, limits.array_keys, contents.entries.capacity_for(limits.bytes)});
  if (taken < count) contents.marks.cut("more elements than the cap");
  for (std::uint64_t i = 0; i < taken; ++i) {
    const std::uint64_t place = map.type == map_type::kStack ? head + size - 1 - i : tail + i;
    const auto target = contents.entries.append();
    if (kernel.read_bytes(layout.elements.address(map.address) + place % size * map.value_size, target))
      continue;
    contents.entries.mark_absent(i, 0);
    contents.marks.missed("an element in memory that can't be read");
  }
  return contents;
}

}  // namespace ktstr::introspect
