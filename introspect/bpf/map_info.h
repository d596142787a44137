// BpfMapInfo: what struct bpf_map (include/linux/bpf.h) says of a map, whatever its type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/address.h"

namespace ktstr::introspect {

/// A map that was found, its header read and checked. Sizes are the guest's claims: readers cap them.
struct BpfMapInfo {
  KernelVirt address;            ///< of the struct bpf_map; tells copies of one name apart
  std::uint32_t id = 0;          ///< as bpftool shows it
  std::string name;              ///< at most 16 bytes (BPF_OBJ_NAME_LEN), "" for a map without
  std::uint32_t type = 0;        ///< map_type::k...
  std::string type_name;         ///< "HASH": from the kernel's enum bpf_map_type, without its prefix
  std::uint32_t key_size = 0;    ///< bytes
  std::uint32_t value_size = 0;  ///< bytes
  std::uint32_t max_entries = 0;
  std::uint32_t map_flags = 0;  ///< BPF_F_...
  std::uint64_t map_extra = 0;  ///< meaning by type: a bloom filter's hash functions, an arena's address
  bool frozen = false;          ///< BPF_MAP_FREEZE was done: user space may not write it
  std::optional<KernelVirt> btf_kva;  ///< struct btf that the next two ids are numbers in; absent: no BTF
  std::uint32_t btf_key_type_id = 0;
  std::uint32_t btf_value_type_id = 0;
  std::uint32_t btf_vmlinux_value_type_id =
      0;  ///< of a STRUCT_OPS map: in its own value BTF, not in btf_kva's
};

}  // namespace ktstr::introspect
