// The kernel's BPF structures, each member named once. A structure that a kernel lacks turns off the readers
// that need it, with the reason, and nothing else.
#pragma once

#include <array>
#include <cstdint>

#include "introspect/layout.h"
#include "introspect/walk/rbtree.h"
#include "introspect/walk/xarray.h"

namespace ktstr::introspect {

inline constexpr std::size_t kBpfNameBytes = 16;  // BPF_OBJ_NAME_LEN
using BpfName = std::array<char, kBpfNameBytes>;

struct BpfMapLayout : LayoutOf<"bpf_map"> {
  Field<std::uint32_t> type{*this, {"map_type"}};
  Field<std::uint32_t> key_size{*this, {"key_size"}};
  Field<std::uint32_t> value_size{*this, {"value_size"}};
  Field<std::uint32_t> max_entries{*this, {"max_entries"}};
  Field<std::uint32_t> flags{*this, {"map_flags"}};
  Field<std::uint32_t> id{*this, {"id"}};
  Field<BpfName> name{*this, {"name"}};
  OptionalField<KernelVirt> operations{*this, {"ops"}};
  OptionalField<std::uint64_t> extra{*this, {"map_extra"}};
  OptionalField<std::uint8_t> frozen{*this, {"frozen"}};
  OptionalField<std::int64_t> refcnt{*this, {"refcnt.counter"}};
  OptionalField<std::int64_t> usercnt{*this, {"usercnt.counter"}};
  OptionalField<KernelVirt> btf{*this, {"btf"}};
  OptionalField<std::uint32_t> btf_key_type_id{*this, {"btf_key_type_id"}};
  OptionalField<std::uint32_t> btf_value_type_id{*this, {"btf_value_type_id"}};
  OptionalField<std::uint32_t> btf_vmlinux_value_type_id{*this, {"btf_vmlinux_value_type_id"}};
};

struct BpfBtfLayout : LayoutOf<"btf"> {
  Field<KernelVirt> data{*this, {"data"}};
  Field<std::uint32_t> data_size{*this, {"data_size"}};
  Field<KernelVirt> base_btf{*this, {"base_btf"}};
  Field<std::uint8_t> kernel_btf{*this, {"kernel_btf"}};
  Field<std::array<char, 56>> name{*this, {"name"}};
};

/// ARRAY, PERCPU_ARRAY and the arrays of file descriptors (kernel/bpf/arraymap.c).
struct BpfArrayLayout : LayoutOf<"bpf_array"> {
  Field<std::uint32_t> elem_size{*this, {"elem_size"}};
  Field<std::uint32_t> index_mask{*this, {"index_mask"}};
  Embedded value{*this, {"value"}};
};

/// All hash tables (kernel/bpf/hashtab.c).
struct BpfHashLayout {
  struct Table : LayoutOf<"bpf_htab"> {
    Field<KernelVirt> buckets{*this, {"buckets"}};
    Field<std::uint32_t> n_buckets{*this, {"n_buckets"}};
    Field<std::uint32_t> elem_size{*this, {"elem_size"}};
  };
  struct Bucket : LayoutOf<"bucket"> {
    Field<KernelVirt> first{*this, {"head.first"}};
  };
  struct Element : LayoutOf<"htab_elem"> {
    Field<KernelVirt> next{*this, {"hash_node.next"}};
    Field<std::uint32_t> hash{*this, {"hash"}};
    Embedded key{*this, {"key"}};
  };
  Table table;
  Bucket bucket;
  Element element;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&table, &bucket, &element}); }
};

/// TASK_STORAGE, CGRP_STORAGE, INODE_STORAGE, SK_STORAGE (include/linux/bpf_local_storage.h).
struct BpfLocalStorageLayout {
  struct Map : LayoutOf<"bpf_local_storage_map"> {
    Field<KernelVirt> buckets{*this, {"buckets"}};
    Field<std::uint32_t> bucket_log{*this, {"bucket_log"}};
  };
  struct Bucket : LayoutOf<"bpf_local_storage_map_bucket"> {
    Field<KernelVirt> first{*this, {"list.first"}};
  };
  struct Element : LayoutOf<"bpf_local_storage_elem"> {
    Field<KernelVirt> next{*this, {"map_node.next"}};
    Field<KernelVirt> storage{*this, {"local_storage"}};
    Field<KernelVirt> map{*this, {"sdata.smap"}};
    Embedded data{*this, {"sdata.data"}};
  };
  struct Storage : LayoutOf<"bpf_local_storage"> {
    Field<KernelVirt> owner{*this, {"owner"}};
  };
  Map map;
  Bucket bucket;
  Element element;
  Storage storage;
  [[nodiscard]] Status resolve(const Btf& btf) {
    return resolve_all(btf, {&map, &bucket, &element, &storage});
  }
};

/// RINGBUF and USER_RINGBUF (kernel/bpf/ringbuf.c).
struct BpfRingbufLayout {
  struct Map : LayoutOf<"bpf_ringbuf_map"> {
    Field<KernelVirt> buffer{*this, {"rb"}};
  };
  struct Buffer : LayoutOf<"bpf_ringbuf"> {
    Field<std::uint64_t> mask{*this, {"mask"}};
    OptionalField<std::uint8_t> overwrite_mode{*this, {"overwrite_mode"}};
    Field<std::uint64_t> consumer_pos{*this, {"consumer_pos"}};
    Field<std::uint64_t> producer_pos{*this, {"producer_pos"}};
    OptionalField<std::uint64_t> pending_pos{*this, {"pending_pos"}};
    OptionalField<std::uint64_t> overwrite_pos{*this, {"overwrite_pos"}};
    Embedded data{*this, {"data"}};
  };
  Map map;
  Buffer buffer;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&map, &buffer}); }
};

/// STACK_TRACE (kernel/bpf/stackmap.c).
struct BpfStackTraceLayout {
  struct Map : LayoutOf<"bpf_stack_map"> {
    Field<std::uint32_t> n_buckets{*this, {"n_buckets"}};
    Embedded buckets{*this, {"buckets"}};
  };
  struct Bucket : LayoutOf<"stack_map_bucket"> {
    Field<std::uint32_t> hash{*this, {"hash"}};
    Field<std::uint32_t> nr{*this, {"nr"}};
    Embedded data{*this, {"data"}};
  };
  Map map;
  Bucket bucket;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&map, &bucket}); }
};

/// QUEUE and STACK (kernel/bpf/queue_stack_maps.c).
struct BpfQueueLayout : LayoutOf<"bpf_queue_stack"> {
  Field<std::uint32_t> head{*this, {"head"}};
  Field<std::uint32_t> tail{*this, {"tail"}};
  Field<std::uint32_t> size{*this, {"size"}};
  Embedded elements{*this, {"elements"}};
};

/// BLOOM_FILTER (kernel/bpf/bloom_filter.c).
struct BpfBloomLayout : LayoutOf<"bpf_bloom_filter"> {
  Field<std::uint32_t> bitset_mask{*this, {"bitset_mask"}};
  Field<std::uint32_t> hash_seed{*this, {"hash_seed"}};
  Field<std::uint32_t> nr_hash_funcs{*this, {"nr_hash_funcs"}};
  Embedded bitset{*this, {"bitset"}};
};

/// LPM_TRIE (kernel/bpf/lpm_trie.c).
struct BpfLpmLayout {
  struct Trie : LayoutOf<"lpm_trie"> {
    Field<KernelVirt> root{*this, {"root"}};
    Field<std::uint64_t> max_prefixlen{*this, {"max_prefixlen"}};
    Field<std::uint64_t> data_size{*this, {"data_size"}};
  };
  struct Node : LayoutOf<"lpm_trie_node"> {
    Field<std::array<KernelVirt, 2>> child{*this, {"child"}};
    Field<std::uint32_t> prefixlen{*this, {"prefixlen"}};
    Field<std::uint32_t> flags{*this, {"flags"}};
    Embedded data{*this, {"data"}};
  };
  Trie trie;
  Node node;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&trie, &node}); }
};

/// STRUCT_OPS (kernel/bpf/bpf_struct_ops.c).
struct BpfStructOpsLayout : LayoutOf<"bpf_struct_ops_map"> {
  Field<KernelVirt> btf{*this, {"btf"}};
  Field<KernelVirt> uvalue{*this, {"uvalue"}};
  Field<std::uint32_t> state{*this, {"kvalue.common.state", "kvalue.state"}};
  Field<std::uint32_t> refcount{*this, {"kvalue.common.refcnt", "kvalue.refcnt"}};
  Embedded kvalue{*this, {"kvalue"}};
  Embedded data{*this, {"kvalue.data"}};
};

/// ARENA (kernel/bpf/arena.c).
struct BpfArenaLayout {
  struct Arena : LayoutOf<"bpf_arena"> {
    Field<std::uint64_t> user_vm_start{*this, {"user_vm_start"}};
    Field<std::uint64_t> user_vm_end{*this, {"user_vm_end"}};
    Field<KernelVirt> kern_vm{*this, {"kern_vm"}};
    OptionalField<std::uint64_t> nr_pages{*this, {"nr_pages"}};
    OptionalField<KernelVirt> scratch_page{*this, {"scratch_page"}};  // 7.3
    OptionalEmbedded free_ranges{*this, {"rt.it_root.rb_root"}};
  };
  struct Area : LayoutOf<"vm_struct"> {
    Field<KernelVirt> address{*this, {"addr"}};
    Field<std::uint64_t> size{*this, {"size"}};
  };
  struct RangeNode : LayoutOf<"range_node"> {
    Embedded links{*this, {"rn_rbnode"}};
    Field<std::uint32_t> first{*this, {"rn_start"}};
    Field<std::uint32_t> last{*this, {"rn_last"}};
  };
  struct Ranges {
    RbtreeLayout tree;
    RangeNode node;
  };
  Arena arena;
  Area area;
  std::optional<Ranges> ranges;  ///< kernels that keep free pages in a range tree
  [[nodiscard]] Status resolve(const Btf& btf) {
    Ranges found;
    if (found.tree.resolve(btf) && found.node.resolve(btf)) ranges = std::move(found);
    return resolve_all(btf, {&arena, &area});
  }
};

struct BpfProgLayout {
  struct Prog : LayoutOf<"bpf_prog"> {
    Field<std::uint32_t> type{*this, {"type"}};
    Field<KernelVirt> aux{*this, {"aux"}};
    Field<KernelVirt> stats{*this, {"stats"}};
    OptionalField<std::uint32_t> jited_len{*this, {"jited_len"}};
  };
  struct Aux : LayoutOf<"bpf_prog_aux"> {
    Field<std::uint32_t> id{*this, {"id"}};
    Field<BpfName> name{*this, {"name"}};
    Field<KernelVirt> prog{*this, {"prog"}};
    OptionalField<std::uint32_t> verified_insns{*this, {"verified_insns"}};
    OptionalField<std::uint32_t> attach_btf_id{*this, {"attach_btf_id"}};
    OptionalField<KernelVirt> attach_btf{*this, {"attach_btf"}};
    OptionalField<KernelVirt> btf{*this, {"btf"}};
    Field<KernelVirt> used_maps{*this, {"used_maps"}};
    Field<std::uint32_t> used_map_cnt{*this, {"used_map_cnt"}};
  };
  Prog prog;
  Aux aux;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&prog, &aux}); }
};

/// Each CPU's counters of one program (include/linux/filter.h); u64_stats_t is one word on 64-bit kernels.
struct BpfProgStatsLayout : LayoutOf<"bpf_prog_stats"> {
  Field<std::uint64_t> cnt{*this, {"cnt"}};
  Field<std::uint64_t> nsecs{*this, {"nsecs"}};
  Field<std::uint64_t> misses{*this, {"misses"}};
};

/// Who owns a local storage, and what an array of cgroups refers to.
struct BpfOwnerLayout {
  struct Task : LayoutOf<"task_struct"> {
    Field<std::int32_t> pid{*this, {"pid"}};
    Field<std::int32_t> tgid{*this, {"tgid"}};
    Field<BpfName> comm{*this, {"comm"}};
  };
  struct Cgroup : LayoutOf<"cgroup"> {
    Field<KernelVirt> node{*this, {"kn"}};
  };
  struct KernfsNode : LayoutOf<"kernfs_node"> {
    Field<std::uint64_t> id{*this, {"id"}};
    Field<KernelVirt> name{*this, {"name"}};
  };
  Task task;
  Cgroup cgroup;
  KernfsNode node;
  [[nodiscard]] Status resolve(const Btf& btf) { return resolve_all(btf, {&task, &cgroup, &node}); }
};

/// All of them for one kernel. Immutable once resolved, safe from several threads.
struct BpfLayouts {
  /// Error: what is missing to find maps at all (struct idr, struct bpf_map). The other groups hold their own
  /// reasons.
  [[nodiscard]] static Result<BpfLayouts> resolve(const Btf& btf);

  XarrayLayout xarray;
  BpfMapLayout map;
  Result<BpfBtfLayout> btf;
  Result<BpfArrayLayout> array;
  Result<BpfHashLayout> hash;
  Result<BpfLocalStorageLayout> local_storage;
  Result<BpfRingbufLayout> ringbuf;
  Result<BpfStackTraceLayout> stack_trace;
  Result<BpfQueueLayout> queue;
  Result<BpfBloomLayout> bloom;
  Result<BpfLpmLayout> lpm;
  Result<BpfStructOpsLayout> struct_ops;
  Result<BpfArenaLayout> arena;
  Result<BpfProgLayout> prog;
  Result<BpfProgStatsLayout> prog_stats;
  Result<BpfOwnerLayout> owner;
};

}  // namespace ktstr::introspect
