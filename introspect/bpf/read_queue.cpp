// QUEUE and STACK: one ring of elements, taken from either end (kernel/bpf/queue_stack_maps.c).
#include <fmt/format.h>

#include <algorithm>

#include "introspect/bpf/map_types.h"
#include "introspect/bpf/read_context.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {

Result<ValueContents> read_queue(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                                 const MapReadLimits& limits) {
  const ReadContext context{kernel, layouts, map, limits};
  const BpfQueueLayout layout = KTSTR_TRY(layouts.queue);
  KTSTR_TRY(check_entry_size(context));
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, map.address)) return map_unreadable("struct bpf_queue_stack");
  const std::uint64_t head = *layout.head.read(bytes);
  const std::uint64_t tail = *layout.tail.read(bytes);
  const std::uint64_t size = *layout.size.read(bytes);  // one more than there may be elements
  if (size != std::uint64_t{map.max_entries} + 1 || head >= size || tail >= size)
    return map_corrupt(fmt::format("positions {} to {} of {}", tail, head, size));
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
