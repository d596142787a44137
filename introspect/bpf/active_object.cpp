#include "introspect/bpf/active_object.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <set>
#include <string_view>

#include "introspect/bpf/object_names.h"
#include "introspect/bpf/read_map.h"

namespace ktstr::introspect {
namespace {

constexpr std::array<std::string_view, 3> kSections = {".bss", ".data", ".rodata"};

std::size_t count_named(const std::vector<BpfMapInfo>& maps, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::count(maps, name, &BpfMapInfo::name));
}

/// How often each global section of `prefix` is among the maps.
std::array<std::size_t, 3> section_counts(const std::vector<BpfMapInfo>& maps, std::string_view prefix) {
  std::array<std::size_t, 3> counts{};
  for (std::size_t i = 0; i < kSections.size(); ++i)
    counts[i] = count_named(maps, std::string(prefix).append(kSections[i]));
  return counts;
}

/// The addresses in bpf_prog_aux.used_maps. bpf_prog_bind_map() raises the count before it puts the longer
/// array in place: the pointer is read first, and a count never reaches past the array that it was read
/// before.
std::vector<KernelVirt> used_maps(const Kernel& kernel, const BpfProgLayout& layout, KernelVirt aux) {
  const auto array = layout.aux.used_maps.read(kernel, aux);
  if (!array || !kernel.plausible_pointer(*array)) return {};
  const auto count = layout.aux.used_map_cnt.read(kernel, aux);
  if (!count) return {};
  std::vector<KernelVirt> maps(std::min(*count, kMaxUsedMaps));
  if (!kernel.read_bytes(*array, std::as_writable_bytes(std::span(maps)))) return {};
  std::erase_if(maps, [](KernelVirt map) { return map.is_null(); });
  return maps;
}

/// Whether the program implements sched_ext_ops, as far as the kernel tells.
bool is_sched_ext(const Kernel& kernel, const BpfProgInfo& program) {
  if (program.type != kStructOpsProgType) return false;
  const auto ops = kernel.btf().find_struct("sched_ext_ops");
  return !ops || !program.attach_btf_id || *program.attach_btf_id == static_cast<std::uint32_t>(*ops);
}

/// One program's used maps, and those of them that are global sections.
struct Usage {
  std::uint32_t program = 0;  ///< id
  std::vector<KernelVirt> maps;
  std::vector<KernelVirt> sections;
  std::string prefix;  ///< of its first global section
};

/// Of the programs that use a global section. Precondition: layouts.prog.
std::vector<Usage> section_usages(const Kernel& kernel, const BpfLayouts& layouts,
                                  const std::vector<BpfProgInfo>& programs) {
  const ObjectIds ids(kernel, layouts);
  std::vector<Usage> usages;
  for (const BpfProgInfo& program : programs) {
    Usage usage{program.id, used_maps(kernel, *layouts.prog, program.aux), {}, {}};
    for (const KernelVirt map : usage.maps) {
      const std::string name = ids.map(map).name;
      const auto prefix = global_section_prefix(name);
      if (!prefix) continue;
      if (usage.sections.empty()) usage.prefix = *prefix;
      usage.sections.push_back(map);
    }
    if (!usage.sections.empty()) usages.push_back(std::move(usage));
  }
  return usages;
}

/// The maps of all programs that are of one object with `first`: they use a section of it, not merely one of
/// the same name.
std::vector<KernelVirt> maps_of_object(const Usage& first, const std::vector<Usage>& usages) {
  std::set<KernelVirt> maps(first.maps.begin(), first.maps.end());
  for (bool grown = true; grown;) {
    grown = false;
    for (const Usage& usage : usages) {
      const bool same_object =
          std::ranges::any_of(usage.sections, [&](KernelVirt section) { return maps.contains(section); });
      if (!same_object) continue;
      for (const KernelVirt map : usage.maps) grown |= maps.insert(map).second;
    }
  }
  return {maps.begin(), maps.end()};
}

std::optional<ActiveObject> from_programs(const Kernel& kernel, const BpfLayouts& layouts,
                                          const std::vector<BpfMapInfo>& maps,
                                          const std::vector<BpfProgInfo>& programs) {
  if (!layouts.prog) return std::nullopt;
  std::vector<BpfProgInfo> of_schedulers;
  std::ranges::copy_if(programs, std::back_inserter(of_schedulers),
                       [&](const BpfProgInfo& program) { return is_sched_ext(kernel, program); });
  const auto usages = section_usages(kernel, layouts, of_schedulers);
  if (usages.empty()) return std::nullopt;
  const Usage& first = usages.front();
  if (section_counts(maps, first.prefix) == std::array<std::size_t, 3>{}) return std::nullopt;
  return ActiveObject{first.prefix, maps_of_object(first, usages)};
}

/// The ids that user space's copy of the operations has in the places of functions
/// (bpf_struct_ops_map_update_elem(), kernel/bpf/bpf_struct_ops.c).
std::set<std::uint64_t> called_programs(const Kernel& kernel, const BpfLayouts& layouts,
                                        const BpfMapInfo& operations) {
  const auto contents = read_struct_ops({kernel, layouts, operations});
  const auto data = kernel.btf().member(BtfTypeId{operations.btf_vmlinux_value_type_id}, "data");
  if (!contents || !data) return {};
  std::set<std::uint64_t> ids;
  for (const auto& [name, member] : kernel.btf().members(data->type)) {
    const std::uint64_t offset = data->byte_offset() + member.byte_offset();
    std::uint64_t id = 0;
    if (!kernel.btf().pointee(member.type) || offset + sizeof(id) > contents->user_value.size()) continue;
    std::memcpy(&id, contents->user_value.data() + offset, sizeof(id));
    ids.insert(id);
  }
  return ids;
}

std::optional<ActiveObject> from_names(const std::vector<BpfMapInfo>& maps) {
  std::set<std::string> candidates;
  for (const BpfMapInfo& map : maps) {
    if (map.type != map_type::kStructOps) continue;
    const std::string prefix = map.name.substr(0, map.name.find('.'));
    const auto counts = section_counts(maps, prefix);
    const bool has_section = counts != std::array<std::size_t, 3>{};
    const bool unambiguous = std::ranges::all_of(counts, [](std::size_t count) { return count <= 1; });
    if (!prefix.empty() && has_section && unambiguous) candidates.insert(prefix);
  }
  if (candidates.size() != 1) return std::nullopt;
  return ActiveObject{*candidates.begin(), {}};
}

}  // namespace

std::optional<std::string_view> global_section_prefix(std::string_view map_name) {
  for (const std::string_view section : kSections)
    if (map_name.size() > section.size() && map_name.ends_with(section))
      return map_name.substr(0, map_name.size() - section.size());
  return std::nullopt;
}

std::optional<ActiveObject> find_object_of(const Kernel& kernel, const BpfLayouts& layouts,
                                           const BpfMapInfo& operations,
                                           const std::vector<BpfProgInfo>& programs) {
  if (!layouts.prog) return std::nullopt;
  const auto ids = called_programs(kernel, layouts, operations);
  const auto usages = section_usages(kernel, layouts, programs);
  const auto first =
      std::ranges::find_if(usages, [&](const Usage& usage) { return ids.contains(usage.program); });
  if (first == usages.end()) return std::nullopt;
  return ActiveObject{first->prefix, maps_of_object(*first, usages)};
}

std::optional<ActiveObject> find_active_object(const Kernel& kernel, const BpfLayouts& layouts,
                                               const std::vector<BpfMapInfo>& maps,
                                               const std::vector<BpfProgInfo>& programs) {
  if (auto object = from_programs(kernel, layouts, maps, programs)) return object;
  return from_names(maps);
}

}  // namespace ktstr::introspect
