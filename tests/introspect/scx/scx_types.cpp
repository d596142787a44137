#include "tests/introspect/scx/scx_types.h"

#include "tests/introspect/sched/synthetic_btf.h"

namespace ktstr::introspect::test {
namespace {

using Members = std::vector<SyntheticBtf::Member>;

/// Adds the types in the order in which they need each other.
class ScxTypes {
 public:
  explicit ScxTypes(bool old) : old_(old) {
    add_generic();
    add_dsq();
    add_task();
    add_rq();
    add_scheduler();
    add_struct_ops();
    add_enums();
  }
  [[nodiscard]] std::vector<std::byte> bytes() const { return btf_.bytes(); }

 private:
  void add_generic() {
    list_ = btf_.add_struct("list_head", {{"next", btf_.pointer}, {"prev", btf_.pointer}});
    rb_node_ = btf_.add_struct(
        "rb_node", {{"__rb_parent_color", btf_.u64}, {"rb_right", btf_.pointer}, {"rb_left", btf_.pointer}});
    rb_root_ = btf_.add_struct("rb_root", {{"rb_node", btf_.pointer}});
    rhash_head_ = btf_.add_struct("rhash_head", {{"next", btf_.pointer}});
    rhashtable_ = btf_.add_struct("rhashtable", {{"tbl", btf_.pointer}, {"key_len", btf_.u32}});
    btf_.add_struct("bucket_table", {{"size", btf_.u32},
                                     {"nest", btf_.u32},
                                     {"future_tbl", btf_.pointer},
                                     {"buckets", btf_.array(btf_.pointer, 0)}});
    atomic_ = btf_.add_struct("atomic_t", {{"counter", btf_.s32}});
    atomic_long_ = btf_.add_struct("atomic_long_t", {{"counter", btf_.s64}});
    const int xarray = btf_.add_struct("xarray", {{"xa_lock", btf_.u32}, {"xa_head", btf_.pointer}});
    btf_.add_struct("xa_node", {{"shift", btf_.u8}, {"slots", btf_.array(btf_.pointer, 64)}});
    btf_.add_struct("idr", {{"idr_rt", xarray}, {"idr_base", btf_.u32}});
  }

  void add_dsq() {
    dsq_ = btf_.add_struct("scx_dispatch_q", {{"lock", btf_.u32},
                                              {"list", list_},
                                              {"priq", rb_root_},
                                              {"nr", btf_.u32},
                                              {"seq", btf_.u32},
                                              {"id", btf_.u64},
                                              {"hash_node", rhash_head_}});
    node_ = btf_.add_struct("scx_dsq_list_node", {{"node", list_}, {"flags", btf_.u32}, {"priv", btf_.u32}});
  }

  void add_task() {
    const int entity = btf_.add_struct("sched_ext_entity", {{"dsq", btf_.pointer},
                                                            {"ops_state", atomic_long_},
                                                            {"dsq_list", node_},
                                                            {"dsq_priq", rb_node_},
                                                            {"flags", btf_.u32},
                                                            {"weight", btf_.u32},
                                                            {"sticky_cpu", btf_.s32},
                                                            {"runnable_node", list_},
                                                            {"runnable_at", btf_.u64},
                                                            {"slice", btf_.u64},
                                                            {"dsq_vtime", btf_.u64}});
    btf_.add_struct("task_struct", {{"__state", btf_.u32},
                                    {"on_cpu", old_ ? btf_.s32 : btf_.u8},
                                    {"on_rq", old_ ? btf_.s32 : btf_.u8},
                                    {"prio", btf_.s32},
                                    {"static_prio", btf_.s32},
                                    {"normal_prio", btf_.s32},
                                    {"rt_priority", btf_.u32},
                                    {"scx", entity},
                                    {"sched_class", btf_.pointer},
                                    {"policy", btf_.u32},
                                    {"cpus_ptr", btf_.pointer},
                                    {"tasks", list_},
                                    {"exit_state", btf_.s32},
                                    {"pid", btf_.s32},
                                    {"tgid", btf_.s32},
                                    {"real_parent", btf_.pointer},
                                    {"group_leader", btf_.pointer},
                                    {"thread_node", list_},
                                    {"nvcsw", btf_.u64},
                                    {"nivcsw", btf_.u64},
                                    {"comm", btf_.array(btf_.u8, 16)},
                                    {"signal", btf_.pointer}});
    btf_.add_struct("signal_struct", {{"nr_threads", btf_.s32},
                                      {"thread_head", list_},
                                      {"pids", btf_.array(btf_.pointer, 4)},
                                      {"nvcsw", btf_.u64},
                                      {"nivcsw", btf_.u64}});
    const int upid = btf_.add_struct("upid", {{"nr", btf_.s32}, {"ns", btf_.pointer}});
    btf_.add_struct("pid", {{"count", btf_.u32}, {"numbers", btf_.array(upid, 0)}});
  }

  void add_rq() {
    Members scx = {{"local_dsq", dsq_}, {"runnable_list", list_},  {"nr_running", btf_.u32},
                   {"flags", btf_.u32}, {"cpu_released", btf_.u8}, {"clock", btf_.u64}};
    if (old_)
      scx.insert(scx.end(), {{"ops_qseq", btf_.u64}, {"pnt_seq", btf_.u64}});
    else
      scx.insert(scx.end(), {{"nr_immed", btf_.u32}, {"kick_sync", btf_.u64}});
    btf_.add_struct("rq", {{"curr", btf_.pointer}, {"scx", btf_.add_struct("scx_rq", scx)}});
  }

  void add_scheduler() {
    const int ops = btf_.add_struct("sched_ext_ops", {{"init", btf_.pointer},
                                                      {"flags", btf_.u64},
                                                      {"timeout_ms", btf_.u32},
                                                      {"exit_dump_len", btf_.u32},
                                                      {"name", btf_.array(btf_.u8, 128)},
                                                      {"priv", btf_.pointer}});
    Members sched = {
        {"ops", ops}, {"dsq_hash", rhashtable_}, {"exit_kind", atomic_}, {"exit_info", btf_.pointer}};
    Members info = {{"kind", btf_.u32},    {"exit_code", btf_.s64}, {"reason", btf_.pointer},
                    {"bt", btf_.pointer},  {"bt_len", btf_.u32},    {"msg", btf_.pointer},
                    {"dump", btf_.pointer}};
    if (old_) {
      sched.push_back({"global_dsqs", btf_.pointer});
    } else {
      btf_.add_struct("scx_sched_pcpu", {{"sch", btf_.pointer}, {"bypass_dsq", dsq_}});
      btf_.add_struct("scx_sched_pnode", {{"global_dsq", dsq_}});
      sched.insert(sched.end(), {{"pnode", btf_.pointer},
                                 {"pcpu", btf_.pointer},
                                 {"bypass_depth", btf_.s32},
                                 {"aborting", btf_.u8},
                                 {"watchdog_timeout", btf_.u64}});
      info.insert(info.end(), {{"exit_cpu", btf_.s32}, {"flags", btf_.u64}});
    }
    btf_.add_struct("scx_sched", sched);
    btf_.add_struct("scx_exit_info", info);
  }

  void add_struct_ops() {
    const int map = btf_.add_struct("bpf_map", {{"ops", btf_.pointer}, {"map_type", btf_.u32}});
    const int value =
        btf_.add_struct("bpf_struct_ops_value", {{"state", btf_.u64}, {"data", btf_.array(btf_.u8, 0)}});
    btf_.add_struct("bpf_struct_ops_map", {{"map", map}, {"st_ops_desc", btf_.pointer}, {"kvalue", value}});
    btf_.add_struct("bpf_struct_ops_desc", {{"st_ops", btf_.pointer}});
    btf_.add_struct("bpf_struct_ops", {{"name", btf_.pointer}});
    btf_.add_enum("bpf_map_type", {{"BPF_MAP_TYPE_ARRAY", 2}, {"BPF_MAP_TYPE_STRUCT_OPS", 26}});
  }

  void add_enums() {
    btf_.add_enum("scx_exit_kind", {{"SCX_EXIT_NONE", 0},
                                    {"SCX_EXIT_DONE", 1},
                                    {"SCX_EXIT_UNREG", 64},
                                    {"SCX_EXIT_ERROR", 1024},
                                    {"SCX_EXIT_ERROR_STALL", 1026}});
    btf_.add_enum("scx_rq_flags", {{"SCX_RQ_ONLINE", 1}, {"SCX_RQ_CLK_VALID", 32}});
    btf_.add_enum("scx_enable_state", {{"SCX_ENABLING", 0}, {"SCX_ENABLED", 1}});
    btf_.add_enum("scx_dsq_lnode_flags", {{"SCX_DSQ_LNODE_ITER_CURSOR", 1}});
    std::vector<std::pair<std::string, std::int64_t>> flags = {{"SCX_TASK_QUEUED", 1},
                                                               {"SCX_TASK_DEQD_FOR_SLEEP", 8},
                                                               {"SCX_TASK_STATE_SHIFT", 8},
                                                               {"SCX_TASK_STATE_BITS", 2}};
    if (old_) {
      flags.push_back({"SCX_TASK_STATE_MASK", 0x300});
      btf_.add_enum("scx_task_state", {{"SCX_TASK_NONE", 0}, {"SCX_TASK_READY", 2}, {"SCX_TASK_ENABLED", 3}});
    } else {
      flags.insert(flags.end(), {{"SCX_TASK_STATE_MASK", 0x700},
                                 {"SCX_TASK_NONE", 0},
                                 {"SCX_TASK_READY", 0x300},
                                 {"SCX_TASK_ENABLED", 0x400},
                                 {"SCX_TASK_REENQ_REASON_MASK", 0x3000}});
    }
    btf_.add_enum("scx_ent_flags", flags);
    btf_.add_enum("scx_ops_state", {{"SCX_OPSS_NONE", 0}, {"SCX_OPSS_QUEUED", 2}});
  }

  bool old_;
  SyntheticBtf btf_;
  int list_ = 0, rb_node_ = 0, rb_root_ = 0, rhash_head_ = 0, rhashtable_ = 0, atomic_ = 0, atomic_long_ = 0;
  int dsq_ = 0, node_ = 0;
};

}  // namespace

std::vector<std::byte> scx_types(bool old) {
  return ScxTypes(old).bytes();
}

}  // namespace ktstr::introspect::test
