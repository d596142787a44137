#include "tests/introspect/bpf/bpf_btf.h"

#include "tests/introspect/sched/synthetic_btf.h"

namespace ktstr::introspect::test {
namespace {

void add_containers(SyntheticBtf& btf) {
  const int xarray = btf.add_struct("xarray", {{"xa_flags", btf.u32}, {"xa_head", btf.u64}});
  btf.add_struct("xa_node", {{"shift", btf.u8}, {"slots", btf.array(btf.u64, 64)}});
  btf.add_struct("idr", {{"idr_rt", xarray}, {"idr_base", btf.u32}, {"idr_next", btf.u32}});
}

int add_map_header(SyntheticBtf& btf) {
  return btf.add_struct("bpf_map", {{"map_type", btf.u32},
                                    {"key_size", btf.u32},
                                    {"value_size", btf.u32},
                                    {"max_entries", btf.u32},
                                    {"ops", btf.pointer},
                                    {"map_extra", btf.u64},
                                    {"map_flags", btf.u32},
                                    {"id", btf.u32},
                                    {"btf_key_type_id", btf.u32},
                                    {"btf_value_type_id", btf.u32},
                                    {"btf_vmlinux_value_type_id", btf.u32},
                                    {"btf", btf.pointer},
                                    {"name", btf.array(btf.u8, 16)},
                                    {"frozen", btf.u8}});
}

void add_arrays(SyntheticBtf& btf, int map) {
  btf.add_struct(
      "bpf_array",
      {{"map", map}, {"elem_size", btf.u32}, {"index_mask", btf.u32}, {"value", btf.array(btf.u64, 0)}});
  btf.add_struct("bpf_queue_stack", {{"map", map},
                                     {"head", btf.u32},
                                     {"tail", btf.u32},
                                     {"size", btf.u32},
                                     {"elements", btf.array(btf.u8, 0)}});
  btf.add_struct("bpf_bloom_filter", {{"map", map},
                                      {"bitset_mask", btf.u32},
                                      {"hash_seed", btf.u32},
                                      {"nr_hash_funcs", btf.u32},
                                      {"bitset", btf.array(btf.u64, 0)}});
}

void add_tables(SyntheticBtf& btf, int map) {
  const int node = btf.add_struct("hlist_nulls_node", {{"next", btf.pointer}, {"pprev", btf.pointer}});
  const int head = btf.add_struct("hlist_nulls_head", {{"first", btf.pointer}});
  btf.add_struct("bucket", {{"head", head}, {"raw_lock", btf.u32}});
  btf.add_struct("bpf_htab",
                 {{"map", map}, {"buckets", btf.pointer}, {"n_buckets", btf.u32}, {"elem_size", btf.u32}});
  btf.add_struct("htab_elem", {{"hash_node", node}, {"hash", btf.u32}, {"key", btf.array(btf.u64, 0)}});
  btf.add_struct("bpf_local_storage_map", {{"map", map}, {"buckets", btf.pointer}, {"bucket_log", btf.u32}});
  btf.add_struct("bpf_local_storage_map_bucket", {{"list", head}, {"lock", btf.u32}});
  const int data =
      btf.add_struct("bpf_local_storage_data", {{"smap", btf.pointer}, {"data", btf.array(btf.u64, 0)}});
  btf.add_struct("bpf_local_storage_elem",
                 {{"snode", node}, {"map_node", node}, {"local_storage", btf.pointer}, {"sdata", data}});
  btf.add_struct("bpf_local_storage", {{"owner", btf.pointer}});
  btf.add_struct("lpm_trie",
                 {{"map", map}, {"root", btf.pointer}, {"max_prefixlen", btf.u64}, {"data_size", btf.u64}});
  btf.add_struct("lpm_trie_node", {{"child", btf.array(btf.pointer, 2)},
                                   {"prefixlen", btf.u32},
                                   {"flags", btf.u32},
                                   {"data", btf.array(btf.u8, 0)}});
}

void add_others(SyntheticBtf& btf, int map) {
  btf.add_struct("bpf_ringbuf_map", {{"map", map}, {"rb", btf.pointer}});
  btf.add_struct("bpf_ringbuf", {{"mask", btf.u64},
                                 {"consumer_pos", btf.u64},
                                 {"producer_pos", btf.u64},
                                 {"pending_pos", btf.u64},
                                 {"overwrite_pos", btf.u64},
                                 {"overwrite_mode", btf.u8},
                                 {"data", btf.array(btf.u64, 0)}});
  btf.add_struct("bpf_stack_map",
                 {{"map", map}, {"n_buckets", btf.u32}, {"buckets", btf.array(btf.pointer, 0)}});
  btf.add_struct("stack_map_bucket", {{"hash", btf.u32}, {"nr", btf.u32}, {"data", btf.array(btf.u64, 0)}});
  const int common = btf.add_struct("bpf_struct_ops_common_value", {{"refcnt", btf.u32}, {"state", btf.u32}});
  const int value =
      btf.add_struct("bpf_struct_ops_value", {{"common", common}, {"data", btf.array(btf.u64, 0)}});
  btf.add_struct("bpf_struct_ops_map",
                 {{"map", map}, {"btf", btf.pointer}, {"uvalue", btf.pointer}, {"kvalue", value}});
  const int root = btf.add_struct("rb_root", {{"rb_node", btf.pointer}});
  const int node = btf.add_struct(
      "rb_node", {{"__rb_parent_color", btf.u64}, {"rb_right", btf.pointer}, {"rb_left", btf.pointer}});
  const int cached = btf.add_struct("rb_root_cached", {{"rb_root", root}, {"rb_leftmost", btf.pointer}});
  const int tree = btf.add_struct("range_tree", {{"it_root", cached}, {"range_size_root", cached}});
  btf.add_struct("range_node", {{"rn_rbnode", node},
                                {"rb_range_size", node},
                                {"rn_start", btf.u32},
                                {"rn_last", btf.u32},
                                {"__rn_subtree_last", btf.u32}});
  btf.add_struct("bpf_arena", {{"map", map},
                               {"user_vm_start", btf.u64},
                               {"user_vm_end", btf.u64},
                               {"kern_vm", btf.pointer},
                               {"scratch_page", btf.pointer},
                               {"rt", tree}});
  btf.add_struct("vm_struct", {{"addr", btf.pointer}, {"size", btf.u64}});
  btf.add_struct("page", {{"flags", btf.array(btf.u64, 8)}});
}

void add_programs(SyntheticBtf& btf) {
  btf.add_struct("bpf_prog",
                 {{"type", btf.u32}, {"jited_len", btf.u32}, {"stats", btf.pointer}, {"aux", btf.pointer}});
  btf.add_struct("bpf_prog_aux", {{"used_map_cnt", btf.u32},
                                  {"id", btf.u32},
                                  {"attach_btf_id", btf.u32},
                                  {"verified_insns", btf.u32},
                                  {"prog", btf.pointer},
                                  {"used_maps", btf.pointer},
                                  {"btf", btf.pointer},
                                  {"name", btf.array(btf.u8, 16)}});
  btf.add_struct("bpf_prog_stats", {{"cnt", btf.u64}, {"nsecs", btf.u64}, {"misses", btf.u64}});
  btf.add_struct("btf", {{"data", btf.pointer},
                         {"data_size", btf.u32},
                         {"base_btf", btf.pointer},
                         {"name", btf.array(btf.u8, 56)},
                         {"kernel_btf", btf.u8}});
}

void add_owners(SyntheticBtf& btf) {
  btf.add_struct("task_struct", {{"pid", btf.s32}, {"tgid", btf.s32}, {"comm", btf.array(btf.u8, 16)}});
  btf.add_struct("cgroup", {{"kn", btf.pointer}});
  btf.add_struct("kernfs_node", {{"id", btf.u64}, {"name", btf.pointer}});
}

}  // namespace

std::vector<std::byte> bpf_kernel_btf() {
  SyntheticBtf btf;
  add_containers(btf);
  const int map = add_map_header(btf);
  add_arrays(btf, map);
  add_tables(btf, map);
  add_others(btf, map);
  add_programs(btf);
  add_owners(btf);
  const int ops = btf.add_struct("sched_ext_ops",
                                 {{"flags", btf.u64}, {"enqueue", btf.pointer}, {"dispatch", btf.pointer}});
  btf.add_struct("bpf_struct_ops_sched_ext_ops", {{"refcnt", btf.u32}, {"state", btf.u32}, {"data", ops}});
  btf.add_struct("tcp_congestion_ops", {{"flags", btf.u64}});
  btf.add_enum("bpf_map_type",
               {{"BPF_MAP_TYPE_UNSPEC", 0},          {"BPF_MAP_TYPE_HASH", 1},
                {"BPF_MAP_TYPE_ARRAY", 2},           {"BPF_MAP_TYPE_PROG_ARRAY", 3},
                {"BPF_MAP_TYPE_PERCPU_HASH", 5},     {"BPF_MAP_TYPE_PERCPU_ARRAY", 6},
                {"BPF_MAP_TYPE_STACK_TRACE", 7},     {"BPF_MAP_TYPE_LPM_TRIE", 11},
                {"BPF_MAP_TYPE_ARRAY_OF_MAPS", 12},  {"BPF_MAP_TYPE_HASH_OF_MAPS", 13},
                {"BPF_MAP_TYPE_CPUMAP", 16},         {"BPF_MAP_TYPE_CGROUP_STORAGE_DEPRECATED", 19},
                {"BPF_MAP_TYPE_CGROUP_STORAGE", 19}, {"BPF_MAP_TYPE_QUEUE", 22},
                {"BPF_MAP_TYPE_STACK", 23},          {"BPF_MAP_TYPE_STRUCT_OPS", 26},
                {"BPF_MAP_TYPE_RINGBUF", 27},        {"BPF_MAP_TYPE_TASK_STORAGE", 29},
                {"BPF_MAP_TYPE_BLOOM_FILTER", 30},   {"BPF_MAP_TYPE_CGRP_STORAGE", 32},
                {"BPF_MAP_TYPE_ARENA", 33}});
  btf.add_enum("bpf_prog_type", {{"BPF_PROG_TYPE_TRACING", 26}, {"BPF_PROG_TYPE_STRUCT_OPS", 27}});
  btf.add_enum("bpf_struct_ops_state", {{"BPF_STRUCT_OPS_STATE_INIT", 0}, {"BPF_STRUCT_OPS_STATE_INUSE", 1}});
  return btf.bytes();
}

}  // namespace ktstr::introspect::test
