#include "introspect/bpf/read_context.h"

namespace ktstr::introspect {

Status check_entry_size(const ReadContext& context, std::uint64_t slots) {
  const std::uint64_t bytes = context.map.key_size + slots * padded(context.map.value_size);
  if (bytes <= context.limits.bytes) return ok();
  return Error{ErrorCode::kUnavailable, "one entry has " + std::to_string(bytes) +
                                            " bytes, more than the cap of " +
                                            std::to_string(context.limits.bytes)};
}

Result<KernelVirt> array_elements(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                                  std::uint64_t element_bytes) {
  const BpfArrayLayout layout = KTSTR_TRY(layouts.array);
  const auto element = layout.elem_size.read(kernel, map.address);
  const auto mask = layout.index_mask.read(kernel, map.address);
  if (!element || !mask) return map_unreadable("struct bpf_array");
  if (*element != element_bytes)
    return corrupted("elements of " + std::to_string(*element) + " bytes for values of " +
                     std::to_string(map.value_size));
  if (std::uint64_t{*mask} + 1 != std::bit_ceil(std::uint64_t{map.max_entries}))
    return corrupted("an index mask of " + std::to_string(*mask) + " for " + std::to_string(map.max_entries) +
                     " entries");
  return layout.value.address(map.address);
}

void PerCpuValues::read(std::optional<KernelVirt> pointer, std::size_t entry, ValueContents& contents) const {
  const bool usable = pointer && !pointer->is_null();
  for (std::uint32_t cpu = 0; cpu < slots(); ++cpu) {
    if (!kernel_.possible_cpus().contains(cpu)) {
      contents.entries.mark_absent(entry, cpu);
      continue;
    }
    const auto place = usable ? kernel_.per_cpu(*pointer, cpu) : Result<KernelVirt>(KernelVirt{});
    if (place && !place->is_null() && kernel_.read_bytes(*place, contents.entries.slot_bytes(entry, cpu)))
      continue;
    contents.entries.mark_absent(entry, cpu);
    contents.marks.missed("a CPU's value can't be read");
  }
}

}  // namespace ktstr::introspect
