#include "introspect/bpf/read_map.h"

#include "introspect/bpf/map_types.h"

namespace ktstr::introspect {
namespace {

template <class Contents>
Result<MapContents> as_contents(Result<Contents> contents) {
  if (!contents) return std::move(contents.error());
  return MapContents(*std::move(contents));
}

}  // namespace

Result<MapContents> read_map_contents(const Kernel& kernel, const BpfLayouts& layouts, const BpfMapInfo& map,
                                      const MapReadLimits& limits) {
  switch (map.type) {
    case map_type::kArray:
      return as_contents(read_array(kernel, layouts, map, limits));
    case map_type::kHash:
    case map_type::kLruHash:
      return as_contents(read_hash(kernel, layouts, map, limits));
    case map_type::kPerCpuArray:
      return as_contents(read_percpu_array(kernel, layouts, map, limits));
    case map_type::kPerCpuHash:
    case map_type::kLruPerCpuHash:
      return as_contents(read_percpu_hash(kernel, layouts, map, limits));
    case map_type::kLpmTrie:
      return as_contents(read_lpm_trie(kernel, layouts, map, limits));
    case map_type::kQueue:
    case map_type::kStack:
      return as_contents(read_queue(kernel, layouts, map, limits));
    case map_type::kTaskStorage:
    case map_type::kCgrpStorage:
    case map_type::kInodeStorage:
    case map_type::kSkStorage:
      return as_contents(read_local_storage(kernel, layouts, map, limits));
    case map_type::kRingbuf:
    case map_type::kUserRingbuf:
      return as_contents(read_ringbuf(kernel, layouts, map, limits));
    case map_type::kStackTrace:
      return as_contents(read_stack_traces(kernel, layouts, map, limits));
    case map_type::kProgArray:
    case map_type::kPerfEventArray:
    case map_type::kCgroupArray:
    case map_type::kArrayOfMaps:
    case map_type::kHashOfMaps:
      return as_contents(read_fd_array(kernel, layouts, map, limits));
    case map_type::kBloomFilter:
      return as_contents(read_bloom_filter(kernel, layouts, map, limits));
    case map_type::kStructOps:
      return as_contents(read_struct_ops(kernel, layouts, map, limits));
    case map_type::kArena:
      return as_contents(read_arena(kernel, layouts, map));
    default:
      return Error{ErrorCode::kUnavailable, "no reader for maps of type " + map.type_name};
  }
}

}  // namespace ktstr::introspect
