#include "introspect/bpf/map_operations.h"

#include <algorithm>
#include <iterator>

#include "introspect/bpf/map_types.h"

namespace ktstr::introspect {
namespace {

struct Operations {
  std::uint32_t type;
  std::string_view symbol;
};
constexpr Operations kOperations[] = {
    {map_type::kHash, "htab_map_ops"},
    {map_type::kArray, "array_map_ops"},
    {map_type::kProgArray, "prog_array_map_ops"},
    {map_type::kPerfEventArray, "perf_event_array_map_ops"},
    {map_type::kPerCpuHash, "htab_percpu_map_ops"},
    {map_type::kPerCpuArray, "percpu_array_map_ops"},
    {map_type::kStackTrace, "stack_trace_map_ops"},
    {map_type::kCgroupArray, "cgroup_array_map_ops"},
    {map_type::kLruHash, "htab_lru_map_ops"},
    {map_type::kLruPerCpuHash, "htab_lru_percpu_map_ops"},
    {map_type::kLpmTrie, "trie_map_ops"},
    {map_type::kArrayOfMaps, "array_of_maps_map_ops"},
    {map_type::kHashOfMaps, "htab_of_maps_map_ops"},
    {map_type::kQueue, "queue_map_ops"},
    {map_type::kStack, "stack_map_ops"},
    {map_type::kSkStorage, "sk_storage_map_ops"},
    {map_type::kStructOps, "bpf_struct_ops_map_ops"},
    {map_type::kRingbuf, "ringbuf_map_ops"},
    {map_type::kInodeStorage, "inode_storage_map_ops"},
    {map_type::kTaskStorage, "task_storage_map_ops"},
    {map_type::kBloomFilter, "bloom_filter_map_ops"},
    {map_type::kUserRingbuf, "user_ringbuf_map_ops"},
    {map_type::kCgrpStorage, "cgrp_storage_map_ops"},
    {map_type::kArena, "arena_map_ops"},
};

}  // namespace

std::string_view map_operations(std::uint32_t type) {
  const auto* found = std::ranges::find(kOperations, type, &Operations::type);
  return found == std::end(kOperations) ? std::string_view() : found->symbol;
}

}  // namespace ktstr::introspect
