// Maps whose values are references to kernel objects: PROG_ARRAY, PERF_EVENT_ARRAY, CGROUP_ARRAY,
// ARRAY_OF_MAPS (kernel/bpf/arraymap.c) and HASH_OF_MAPS.
#include <algorithm>

#include "introspect/bpf/hash_walk.h"
#include "introspect/bpf/object_names.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

ObjectName name_object(const ObjectIds& ids, std::uint32_t map_type, KernelVirt object) {
  switch (map_type) {
    case map_type::kProgArray:
      return ids.program(object);
    case map_type::kArrayOfMaps:
    case map_type::kHashOfMaps:
      return ids.map(object);
    case map_type::kCgroupArray:
      return ids.cgroup(object);
    default:
      return {};  // a perf event has no id of its own
  }
}

class SlotList {
 public:
  SlotList(const ReadContext& context, FdArrayContents& contents)
      : context_(context), contents_(contents), ids_(context.kernel, context.layouts) {}

  void take(std::uint32_t index, KernelVirt object) {
    ++contents_.populated;
    if (contents_.slots.size() == context_.limits.fd_array_indices) {
      contents_.indices_truncated = true;
      return;
    }
    ObjectName name = name_object(ids_, context_.map.type, object);
    contents_.slots.push_back({index, object, name.id, std::move(name.name)});
  }

 private:
  const ReadContext& context_;
  FdArrayContents& contents_;
  ObjectIds ids_;
};

Result<FdArrayContents> read_slots(const ReadContext& context) {
  const KernelVirt slots =
      KTSTR_TRY(array_elements(context.kernel, context.layouts, context.map, sizeof(KernelVirt)));
  FdArrayContents contents;
  const std::uint32_t end = std::min(context.map.max_entries, context.limits.fd_array_slots);
  if (end < context.map.max_entries) contents.marks.cut("more slots than the cap");
  SlotList list(context, contents);
  for (std::uint32_t index = 0; index < end; ++index) {
    const auto object = context.kernel.read<KernelVirt>(slots + index * sizeof(KernelVirt));
    ++contents.scanned;
    if (!object)
      contents.marks.missed("a slot in memory that can't be read");
    else if (!object->is_null() && !context.plausible(*object))
      contents.marks.refused("a slot that holds no kernel pointer");
    else if (!object->is_null())
      list.take(index, *object);
  }
  return contents;
}

Result<FdArrayContents> read_hash_of_maps(const ReadContext& context) {
  KTSTR_TRY(check_entry_size(context));
  HashWalk walk = KTSTR_TRY(HashWalk::open(context, sizeof(KernelVirt)));
  FdArrayContents contents;
  contents.keys = MapEntries(context.map.key_size, 0);
  SlotList list(context, contents);
  const std::size_t cap = std::min<std::size_t>({context.limits.hash_entries, context.limits.fd_array_slots,
                                                 contents.keys.capacity_for(context.limits.bytes)});
  walk.run(
      cap, contents.marks,
      [&](KernelVirt, std::span<const std::byte> key, std::span<const std::byte> value) {
        KernelVirt inner;
        std::memcpy(&inner, value.data(), sizeof(inner));
        ++contents.scanned;
        std::ranges::copy(key, contents.keys.append().begin());
        if (context.plausible(inner))
          list.take(static_cast<std::uint32_t>(contents.keys.size() - 1), inner);
        else
          contents.marks.refused("an entry that holds no kernel pointer");
        return true;
      },
      [&](std::size_t again) {
        contents.keys.cut(contents.keys.size() - again);
        const auto repeated = std::erase_if(
            contents.slots, [&](const FdSlot& slot) { return slot.index >= contents.keys.size(); });
        contents.populated -= static_cast<std::uint32_t>(repeated);
        contents.scanned -= static_cast<std::uint32_t>(again);
      });
  return contents;
}

}  // namespace

Result<FdArrayContents> read_fd_array(const ReadContext& context) {
  return context.map.type == map_type::kHashOfMaps ? read_hash_of_maps(context) : read_slots(context);
}

}  // namespace ktstr::introspect
