#include "introspect/render/special_types.h"

#include <bpf/btf.h>

#include <algorithm>

#include "engine/base/cpu_set.h"

namespace ktstr::introspect {

namespace {

struct OpaqueType {
  std::string_view name;
  std::size_t pointers;
};
constexpr OpaqueType kOpaqueTypes[] = {
    {"bpf_timer", 1},      // struct bpf_hrtimer *, then a lock
    {"bpf_wq", 1},         // struct bpf_work *, then a lock
    {"bpf_list_head", 2},  // first, last
    {"bpf_list_node", 3},  // next, previous, owner
    {"bpf_rb_root", 2},    // root, leftmost
    {"bpf_rb_node", 4},    // parent and colour, right, left, owner
};

bool is_cpu_mask_name(std::string_view name) {
  return name == "cpumask" || name == "bpf_cpumask" || name == "scx_bitmap";
}

}  // namespace

std::size_t opaque_pointers(std::string_view struct_name) {
  if (!struct_name.starts_with("bpf_")) return 0;
  const auto* found = std::ranges::find(kOpaqueTypes, struct_name, &OpaqueType::name);
  return found == std::end(kOpaqueTypes) ? 0 : found->pointers;
}

std::optional<CpuMaskPlace> find_cpu_mask(const Btf& btf, BtfTypeId type) {
  const btf_type* entry = btf.type(btf.strip(type));
  if (entry == nullptr || !btf_is_struct(entry) || !is_cpu_mask_name(btf.name_at(entry->name_off)))
    return std::nullopt;
  for (const std::string_view path : {"bits", "cpumask.bits"}) {
    const auto member = btf.member(type, path);
    if (member && member->bitfield_bits == 0 && member->bit_offset % 64 == 0 &&
        member->byte_offset() + member->size_bytes <= entry->size)
      return CpuMaskPlace{member->byte_offset(), member->size_bytes};
  }
  return std::nullopt;
}

std::string cpu_list(std::span<const std::byte> words, std::size_t nr_cpu_ids) {
  const std::size_t limit = std::min(nr_cpu_ids == 0 ? CpuSet::kCapacity : nr_cpu_ids, words.size() * 8);
  CpuSet cpus;
  for (std::size_t cpu = 0; cpu < std::min(limit, CpuSet::kCapacity); ++cpu)
    if ((words[cpu / 8] >> (cpu % 8) & std::byte{1}) != std::byte{0}) cpus.add(cpu);
  return cpus.to_string();
}

}  // namespace ktstr::introspect
