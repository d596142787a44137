// Reading a map's contents out of guest memory.
#pragma once

#include "introspect/bpf/read_context.h"

namespace ktstr::introspect {

/// All that `map` holds, by its type. Errors: kUnavailable, a type without a reader or a structure that this
/// kernel lacks; kOutOfRange, the map itself can't be read; kCorrupt, its own structure contradicts itself.
/// What is wrong with single entries is in the contents' marks. Freeze the guest for entries of one instant.
[[nodiscard]] Result<MapContents> read_map_contents(const Kernel& kernel, const BpfLayouts& layouts,
                                                    const BpfMapInfo& map, const MapReadLimits& limits = {});

/// The kernel variable that `bpf_map.ops` of every map of this type points to (include/linux/bpf_types.h): it
/// tells a map's type a second time. "" for a type that is not known here.
[[nodiscard]] std::string_view map_operations(std::uint32_t type);

// The readers behind it. Precondition of each: the map is of a type that it is for.

/// ARRAY, global sections included.
[[nodiscard]] Result<ValueContents> read_array(const ReadContext& context);
/// HASH, LRU_HASH: one memory read an entry, no allocation beyond the table's. An element whose hash is of
/// another bucket, and a chain that ends in another bucket's, are refused.
[[nodiscard]] Result<ValueContents> read_hash(const ReadContext& context);
/// PERCPU_ARRAY: a slot for each of nr_cpu_ids, absent for CPUs that are not possible.
[[nodiscard]] Result<ValueContents> read_percpu_array(const ReadContext& context);
/// PERCPU_HASH, LRU_PERCPU_HASH.
[[nodiscard]] Result<ValueContents> read_percpu_hash(const ReadContext& context);
[[nodiscard]] Result<ValueContents> read_lpm_trie(const ReadContext& context);
/// QUEUE, STACK.
[[nodiscard]] Result<ValueContents> read_queue(const ReadContext& context);
[[nodiscard]] Result<LocalStorageContents> read_local_storage(const ReadContext& context);
[[nodiscard]] Result<RingbufContents> read_ringbuf(const ReadContext& context);
[[nodiscard]] Result<StackTraceContents> read_stack_traces(const ReadContext& context);
[[nodiscard]] Result<FdArrayContents> read_fd_array(const ReadContext& context);
[[nodiscard]] Result<BloomContents> read_bloom_filter(const ReadContext& context);
[[nodiscard]] Result<StructOpsContents> read_struct_ops(const ReadContext& context);
[[nodiscard]] Result<ArenaContents> read_arena(const ReadContext& context);

}  // namespace ktstr::introspect
