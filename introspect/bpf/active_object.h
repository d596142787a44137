// Which BPF object is the running scheduler's: its maps are the ones that a name without more stands for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_list.h"
#include "introspect/bpf/programs.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

/// include/linux/bpf_verifier.h: MAX_USED_MAPS. A larger count was read beside a pointer of another instant.
inline constexpr std::uint32_t kMaxUsedMaps = 64;

struct ActiveObject {
  std::string name;                   ///< libbpf's object prefix, at most 8 characters: "scx_ktst"
  std::vector<KernelVirt> used_maps;  ///< struct bpf_map, ascending; empty when only the names told
};

/// The object whose programs the STRUCT_OPS map `operations` calls: its maps are those that one of them uses
/// and that any program which shares a global section with it uses. nullopt: not to be told. For the map of
/// the running scheduler see ScxExitReader::root_map().
[[nodiscard]] std::optional<ActiveObject> find_object_of(const Kernel& kernel, const BpfLayouts& layouts,
                                                         const BpfMapInfo& operations,
                                                         const std::vector<BpfProgInfo>& programs);

/// The object prefix of a global section's map: "scx_ktst" of "scx_ktst.bss", ".data" or ".rodata"; nullopt
/// for any other name.
[[nodiscard]] std::optional<std::string_view> global_section_prefix(std::string_view map_name);

/// The object of the sched_ext programs that are loaded.
///
/// First through the programs: the first struct_ops program (of sched_ext_ops, where the kernel says so) that
/// uses a global section, whose prefix must also be a global section's among `maps`, names the object. Its
/// maps are those that it and the programs which share a section with it use. The array's pointer is read
/// before its count, as bpf_prog_bind_map() raises the count first. Else through the names: the STRUCT_OPS
/// map whose name up to the dot has global sections among `maps`, none of them twice. nullopt when neither
/// tells, or several objects fit.
[[nodiscard]] std::optional<ActiveObject> find_active_object(const Kernel& kernel, const BpfLayouts& layouts,
                                                             const std::vector<BpfMapInfo>& maps,
                                                             const std::vector<BpfProgInfo>& programs);

}  // namespace ktstr::introspect
