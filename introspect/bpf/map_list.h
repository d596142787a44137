// All BPF maps of a guest, through map_idr (kernel/bpf/syscall.c), and what struct bpf_map
// (include/linux/bpf.h) says of each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "introspect/bpf/layouts.h"
#include "introspect/kernel.h"
#include "introspect/walk/outcome.h"

namespace ktstr::introspect {

/// An IDR entry that is no object of its kind.
struct BadBpfObject {
  std::uint64_t id = 0;  ///< its index in the IDR
  KernelVirt address;
  std::string reason;
};

/// The objects of an IDR, ascending by id, and the entries that could not be believed.
template <class Info>
struct BpfObjectWalk {
  std::vector<Info> items;
  std::vector<BadBpfObject> bad;
  WalkEnd end = WalkEnd::kComplete;  ///< how the IDR itself ended
  std::string reason;                ///< what ended it early; "" when complete

  [[nodiscard]] bool complete() const { return end == WalkEnd::kComplete && bad.empty(); }
};

/// No guest has more maps, or programs, than this; the walk is then kTruncated.
inline constexpr std::size_t kMaxBpfObjects = 1U << 16;

/// The objects of the IDR in the kernel's variable `idr`, each by headers.read(address), and believed if it
/// has the id of its index. Error: no such symbol.
template <class Info, class Headers>
[[nodiscard]] Result<BpfObjectWalk<Info>> walk_bpf_objects(const Kernel& kernel, const BpfLayouts& layouts,
                                                           std::string_view idr, Headers headers) {
  const KernelVirt address = KTSTR_TRY(kernel.address(idr));
  const auto walked = walk_idr(kernel.translator(), layouts.xarray, address, kMaxBpfObjects);
  BpfObjectWalk<Info> objects{{}, {}, walked.end, std::string(walked.reason)};
  for (const XarrayEntry& entry : walked.items) {
    auto object = headers.read(entry.pointer());
    if (object && object->id != entry.index)
      object = corrupted("says that its id is " + std::to_string(object->id));
    if (object)
      objects.items.push_back(*std::move(object));
    else
      objects.bad.push_back({entry.index, entry.pointer(), object.error().message});
  }
  return objects;
}

/// enum bpf_map_type (include/uapi/linux/bpf.h): the numbers are ABI and never change.
namespace map_type {
inline constexpr std::uint32_t kHash = 1;
inline constexpr std::uint32_t kArray = 2;
inline constexpr std::uint32_t kProgArray = 3;
inline constexpr std::uint32_t kPerfEventArray = 4;
inline constexpr std::uint32_t kPerCpuHash = 5;
inline constexpr std::uint32_t kPerCpuArray = 6;
inline constexpr std::uint32_t kStackTrace = 7;
inline constexpr std::uint32_t kCgroupArray = 8;
inline constexpr std::uint32_t kLruHash = 9;
inline constexpr std::uint32_t kLruPerCpuHash = 10;
inline constexpr std::uint32_t kLpmTrie = 11;
inline constexpr std::uint32_t kArrayOfMaps = 12;
inline constexpr std::uint32_t kHashOfMaps = 13;
inline constexpr std::uint32_t kQueue = 22;
inline constexpr std::uint32_t kStack = 23;
inline constexpr std::uint32_t kSkStorage = 24;
inline constexpr std::uint32_t kStructOps = 26;
inline constexpr std::uint32_t kRingbuf = 27;
inline constexpr std::uint32_t kInodeStorage = 28;
inline constexpr std::uint32_t kTaskStorage = 29;
inline constexpr std::uint32_t kBloomFilter = 30;
inline constexpr std::uint32_t kUserRingbuf = 31;
inline constexpr std::uint32_t kCgrpStorage = 32;
inline constexpr std::uint32_t kArena = 33;
}  // namespace map_type

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

using MapWalk = BpfObjectWalk<BpfMapInfo>;

/// Every map, ascending by id. An entry that is no map (no kernel pointer, unreadable, another id than its
/// index, a type that the kernel's enum does not have or whose operations are not the map's) is in `bad`.
/// Error: no symbol map_idr.
[[nodiscard]] Result<MapWalk> list_bpf_maps(const Kernel& kernel, const BpfLayouts& layouts);

/// The header of the map at `address`. Error: unreadable, or no map.
[[nodiscard]] Result<BpfMapInfo> read_map_info(const Kernel& kernel, const BpfLayouts& layouts,
                                               KernelVirt address);

}  // namespace ktstr::introspect
