// Reading a map's contents out of guest memory.
#pragma once

#include "engine/base/result.h"
#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/bpf/map_info.h"
#include "introspect/bpf/read_limits.h"
#include "introspect/kernel.h"

namespace ktstr::introspect {

/// All that `map` holds, by its type. Errors: kUnavailable, a type without a reader or a structure that this
/// kernel lacks; kOutOfRange, the map itself can't be read; kCorrupt, its own structure contradicts itself.
/// What is wrong with single entries is in the contents' marks. Freeze the guest for entries of one instant.
[[nodiscard]] Result<MapContents> read_map_contents(const Kernel& kernel, const BpfLayouts& layouts,
                                                    const BpfMapInfo& map, const MapReadLimits& limits = {});

// The readers behind it. Precondition of each: `map` is of a type that it is for.

/// ARRAY, global sections included.
[[nodiscard]] Result<ValueContents> read_array(const Kernel& kernel, const BpfLayouts& layouts,
                                               const BpfMapInfo& map, const MapReadLimits& limits = {});
/// HASH, LRU_HASH: one memory read an entry, no allocation beyond the table's. An element whose hash is of
/// another bucket, and a chain that ends in another bucket's, are refused.
[[nodiscard]] Result<ValueContents> read_hash(const Kernel& kernel, const BpfLayouts& layouts,
                                              const BpfMapInfo& map, const MapReadLimits& limits = {});
/// PERCPU_ARRAY: a slot for each of nr_cpu_ids, absent for CPUs that are not possible.
[[nodiscard]] Result<ValueContents> read_percpu_array(const Kernel& kernel, const BpfLayouts& layouts,
                                                      const BpfMapInfo& map,
                                                      const MapReadLimits& limits = {});
/// PERCPU_HASH, LRU_PERCPU_HASH.
[[nodiscard]] Result<ValueContents> read_percpu_hash(const Kernel& kernel, const BpfLayouts& layouts,
                                                     const BpfMapInfo& map, const MapReadLimits& limits = {});
[[nodiscard]] Result<ValueContents> read_lpm_trie(const Kernel& kernel, const BpfLayouts& layouts,
                                                  const BpfMapInfo& map, const MapReadLimits& limits = {});
/// QUEUE, STACK.
[[nodiscard]] Result<ValueContents> read_queue(const Kernel& kernel, const BpfLayouts& layouts,
                                               const BpfMapInfo& map, const MapReadLimits& limits = {});
[[nodiscard]] Result<LocalStorageContents> read_local_storage(const Kernel& kernel, const BpfLayouts& layouts,
                                                              const BpfMapInfo& map,
                                                              const MapReadLimits& limits = {});
[[nodiscard]] Result<RingbufContents> read_ringbuf(const Kernel& kernel, const BpfLayouts& layouts,
                                                   const BpfMapInfo& map, const MapReadLimits& limits = {});
[[nodiscard]] Result<StackTraceContents> read_stack_traces(const Kernel& kernel, const BpfLayouts& layouts,
                                                           const BpfMapInfo& map,
                                                           const MapReadLimits& limits = {});
[[nodiscard]] Result<FdArrayContents> read_fd_array(const Kernel& kernel, const BpfLayouts& layouts,
                                                    const BpfMapInfo& map, const MapReadLimits& limits = {});
[[nodiscard]] Result<BloomContents> read_bloom_filter(const Kernel& kernel, const BpfLayouts& layouts,
                                                      const BpfMapInfo& map,
                                                      const MapReadLimits& limits = {});
[[nodiscard]] Result<StructOpsContents> read_struct_ops(const Kernel& kernel, const BpfLayouts& layouts,
                                                        const BpfMapInfo& map,
                                                        const MapReadLimits& limits = {});
[[nodiscard]] Result<ArenaContents> read_arena(const Kernel& kernel, const BpfLayouts& layouts,
                                               const BpfMapInfo& map);

}  // namespace ktstr::introspect
