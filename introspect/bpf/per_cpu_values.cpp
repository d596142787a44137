#include "introspect/bpf/per_cpu_values.h"

namespace ktstr::introspect {

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
