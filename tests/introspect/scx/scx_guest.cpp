#include "tests/introspect/scx/scx_guest.h"

#include "tests/introspect/scx/scx_types.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint64_t kLocalDsq = 0x8000'0000'0000'0002;
constexpr std::uint64_t kGlobalDsq = 0x8000'0000'0000'0001;
constexpr std::uint64_t kBypassDsq = 0x8000'0000'0000'0003;
constexpr std::uint64_t kBuckets = 8;
constexpr std::uint64_t kBlack = 1;

}  // namespace

ScxGuest::ScxGuest(ScxShape shape, std::size_t cpus)
    : SyntheticGuest(scx_types(shape == ScxShape::kOld), cpus), shape_(shape) {
  add_per_cpu_symbol("runqueues", size_of("rq"));
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    init_dsq(member(rq(cpu), "rq", "scx.local_dsq"), kLocalDsq);
    init_list(member(rq(cpu), "rq", "scx.runnable_list"));
  }
  add_symbol("scx_root", 8);
  write(add_symbol("scx_enable_state_var", 4), std::uint32_t{1});
  write(add_symbol("nr_node_ids", 4), std::uint32_t{2});
  add_symbol("map_idr", size_of("idr"));
  add_symbol("jiffies_64", 8);
  if (shape == ScxShape::kOld) {
    write(add_symbol("scx_bypass_depth", 4), std::int32_t{3});
    write(add_symbol("scx_watchdog_timeout", 8), std::uint64_t{1250});
  }
  for (const auto* name : {"ext_sched_class", "fair_sched_class", "stop_sched_class"}) add_symbol(name, 64);
  add_symbol("native_queued_spin_lock_slowpath", 256);
  add_symbol("__mutex_lock.constprop.0", 256);
  add_symbol("schedule", 256);
  init_list(member(add_symbol("init_task", size_of("task_struct")), "task_struct", "tasks"));
}

KernelVirt ScxGuest::member(KernelVirt base, std::string_view structure, std::string_view path) const {
  return base + btf().member(*btf().find_struct(structure), path)->byte_offset();
}

void ScxGuest::init_list(KernelVirt head) {
  write(head, head);
  write(head + 8, head);
}

void ScxGuest::link_list(KernelVirt head, KernelVirt node) {
  KernelVirt last;
  std::memcpy(&last, at(head + 8), sizeof(last));
  write(last, node);
  write(node, head);
  write(node + 8, last);
  write(head + 8, node);
}

void ScxGuest::init_dsq(KernelVirt dsq, std::uint64_t id) {
  set(dsq, "scx_dispatch_q", "id", id);
  init_list(member(dsq, "scx_dispatch_q", "list"));
}

KernelVirt ScxGuest::add_thread(KernelVirt leader, std::int32_t pid, std::string_view comm) {
  const KernelVirt task = allocate(size_of("task_struct"));
  set(task, "task_struct", "pid", pid);
  std::memcpy(at(member(task, "task_struct", "comm")), comm.data(), std::min<std::size_t>(comm.size(), 16));
  set(task, "task_struct", "static_prio", std::int32_t{120});
  set(task, "task_struct", "sched_class", symbol("ext_sched_class"));
  set(task, "task_struct", "group_leader", leader.is_null() ? task : leader);
  if (leader.is_null()) return task;
  KernelVirt signal;
  std::memcpy(&signal, at(member(leader, "task_struct", "signal")), sizeof(signal));
  set(task, "task_struct", "signal", signal);
  link_list(member(signal, "signal_struct", "thread_head"), member(task, "task_struct", "thread_node"));
  return task;
}

KernelVirt ScxGuest::add_task(std::int32_t pid, std::string_view comm) {
  const KernelVirt task = add_thread({}, pid, comm);
  const KernelVirt signal = allocate(size_of("signal_struct"));
  set(task, "task_struct", "tgid", pid);
  set(task, "task_struct", "signal", signal);
  const KernelVirt threads = member(signal, "signal_struct", "thread_head");
  init_list(threads);
  link_list(threads, member(task, "task_struct", "thread_node"));
  link_list(member(symbol("init_task"), "task_struct", "tasks"), member(task, "task_struct", "tasks"));
  return task;
}

KernelVirt ScxGuest::load_scheduler() {
  const KernelVirt sched = allocate(size_of("scx_sched"));
  std::memcpy(at(member(sched, "scx_sched", "ops.name")), "test", 4);
  buckets_ = allocate(size_of("bucket_table") + kBuckets * 8);
  set(buckets_, "bucket_table", "size", static_cast<std::uint32_t>(kBuckets));
  set(sched, "scx_sched", "dsq_hash.tbl", buckets_);
  const KernelVirt nodes = allocate(2 * 8);  // node 0, and a hole
  if (shape_ == ScxShape::kOld) {
    const KernelVirt dsq = allocate(size_of("scx_dispatch_q"));
    init_dsq(dsq, kGlobalDsq);
    write(nodes, dsq);
    set(sched, "scx_sched", "global_dsqs", nodes);
  } else {
    const KernelVirt node = allocate(size_of("scx_sched_pnode"));
    init_dsq(node, kGlobalDsq);
    write(nodes, node);
    set(sched, "scx_sched", "pnode", nodes);
    const KernelVirt pcpu = allocate_per_cpu(size_of("scx_sched_pcpu"));
    for (std::size_t cpu = 0; cpu < cpus(); ++cpu)
      init_dsq(member(per_cpu(pcpu, cpu), "scx_sched_pcpu", "bypass_dsq"), kBypassDsq);
    set(sched, "scx_sched", "pcpu", pcpu);
  }
  set(sched, "scx_sched", "exit_info", allocate(size_of("scx_exit_info")));
  write(symbol("scx_root"), sched);
  return sched;
}

KernelVirt ScxGuest::add_user_dsq(std::uint64_t id, std::size_t bucket) {
  const KernelVirt dsq = allocate(size_of("scx_dispatch_q"));
  init_dsq(dsq, id);
  const KernelVirt head = member(buckets_, "bucket_table", "buckets") + bucket * 8;
  std::uint64_t first = 0;
  std::memcpy(&first, at(head), sizeof(first));
  const KernelVirt node = member(dsq, "scx_dispatch_q", "hash_node");
  write(node, first == 0 ? head.value() | 1 : first);  // the end is marked with the bucket's own address
  write(head, node);
  return dsq;
}

void ScxGuest::queue(KernelVirt dsq, KernelVirt task) {
  link_list(member(dsq, "scx_dispatch_q", "list"), member(task, "task_struct", "scx.dsq_list.node"));
  set(task, "task_struct", "scx.dsq", dsq);
}

void ScxGuest::set_tree(KernelVirt dsq, const std::vector<KernelVirt>& tasks) {
  const auto node = [&](std::size_t i) { return member(tasks[i], "task_struct", "scx.dsq_priq"); };
  write(member(dsq, "scx_dispatch_q", "priq"), node(0));
  set(node(0), "rb_node", "__rb_parent_color", kBlack);
  for (std::size_t i = 1; i < tasks.size(); ++i) {
    set(node(0), "rb_node", i == 1 ? "rb_left" : "rb_right", node(i));
    set(node(i), "rb_node", "__rb_parent_color", node(0).value());
  }
}

void ScxGuest::make_runnable(std::size_t cpu, KernelVirt task) {
  link_list(member(rq(cpu), "rq", "scx.runnable_list"), member(task, "task_struct", "scx.runnable_node"));
}

KernelVirt ScxGuest::set_exit(KernelVirt sched, std::uint32_t kind, std::string_view message) {
  KernelVirt info;
  std::memcpy(&info, at(member(sched, "scx_sched", "exit_info")), sizeof(info));
  set(info, "scx_exit_info", "kind", kind);
  set(info, "scx_exit_info", "msg", add_string(message));
  return info;
}

void ScxGuest::add_struct_ops_map(KernelVirt sched, std::string_view name) {
  const KernelVirt struct_ops = allocate(size_of("bpf_struct_ops"));
  set(struct_ops, "bpf_struct_ops", "name", add_string(name));
  const KernelVirt description = allocate(size_of("bpf_struct_ops_desc"));
  set(description, "bpf_struct_ops_desc", "st_ops", struct_ops);
  const KernelVirt map = allocate(size_of("bpf_struct_ops_map") + size_of("sched_ext_ops"));
  set(map, "bpf_struct_ops_map", "map.map_type", std::uint32_t{26});
  set(map, "bpf_struct_ops_map", "st_ops_desc", description);
  set(member(map, "bpf_struct_ops_map", "kvalue.data"), "sched_ext_ops", "priv", sched);
  set(symbol("map_idr"), "idr", "idr_rt.xa_head", map);  // one entry lies in the head itself
}

}  // namespace ktstr::introspect::test
