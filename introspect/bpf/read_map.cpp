#include "introspect/bpf/read_map.h"

#include <algorithm>
#include <iterator>

namespace ktstr::introspect {
namespace {

using Reader = Result<MapContents> (*)(const ReadContext&);

/// One of the readers, its contents as those of any map.
template <auto kRead>
Result<MapContents> contents(const ReadContext& context) {
  return MapContents(KTSTR_TRY(kRead(context)));
}

struct MapKind {
  std::uint32_t type;
  std::string_view operations;
  Reader read;
};
constexpr MapKind kKinds[] = {
    {map_type::kHash, "htab_map_ops", contents<read_hash>},
    {map_type::kArray, "array_map_ops", contents<read_array>},
    {map_type::kProgArray, "prog_array_map_ops", contents<read_fd_array>},
    {map_type::kPerfEventArray, "perf_event_array_map_ops", contents<read_fd_array>},
    {map_type::kPerCpuHash, "htab_percpu_map_ops", contents<read_percpu_hash>},
    {map_type::kPerCpuArray, "percpu_array_map_ops", contents<read_percpu_array>},
    {map_type::kStackTrace, "stack_trace_map_ops", contents<read_stack_traces>},
    {map_type::kCgroupArray, "cgroup_array_map_ops", contents<read_fd_array>},
    {map_type::kLruHash, "htab_lru_map_ops", contents<read_hash>},
    {map_type::kLruPerCpuHash, "htab_lru_percpu_map_ops", contents<read_percpu_hash>},
    {map_type::kLpmTrie, "trie_map_ops", contents<read_lpm_trie>},
    {map_type::kArrayOfMaps, "array_of_maps_map_ops", contents<read_fd_array>},
    {map_type::kHashOfMaps, "htab_of_maps_map_ops", contents<read_fd_array>},
    {map_type::kQueue, "queue_map_ops", contents<read_queue>},
    {map_type::kStack, "stack_map_ops", contents<read_queue>},
    {map_type::kSkStorage, "sk_storage_map_ops", contents<read_local_storage>},
    {map_type::kStructOps, "bpf_struct_ops_map_ops", contents<read_struct_ops>},
    {map_type::kRingbuf, "ringbuf_map_ops", contents<read_ringbuf>},
    {map_type::kInodeStorage, "inode_storage_map_ops", contents<read_local_storage>},
    {map_type::kTaskStorage, "task_storage_map_ops", contents<read_local_storage>},
    {map_type::kBloomFilter, "bloom_filter_map_ops", contents<read_bloom_filter>},
    {map_type::kUserRingbuf, "user_ringbuf_map_ops", contents<read_ringbuf>},
    {map_type::kCgrpStorage, "cgrp_storage_map_ops", contents<read_local_storage>},
    {map_type::kArena, "arena_map_ops", contents<read_arena>},
};

const MapKind* find_kind(std::uint32_t type) {
  const auto* found = std::ranges::find(kKinds, type, &MapKind::type);
  return found == std::end(kKinds) ? nullptr : found;
}

}  // namespace

std::string_view map_operations(std::uint32_t type) {
  const auto* kind = find_kind(type);
  return kind ? kind->operations : std::string_view();
}

Result<MapContents> read_map_contents(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                                      const MapReadLimits& limits) {
  const auto* kind = find_kind(map.type);
  if (!kind) return Error{ErrorCode::kUnavailable, "no reader for maps of type " + map.type_name};
  return kind->read({kernel, layouts, map, limits});
}

}  // namespace ktstr::introspect
