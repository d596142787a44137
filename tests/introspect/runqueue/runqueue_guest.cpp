#include "tests/introspect/runqueue/runqueue_guest.h"

#include <algorithm>
#include <cstring>

#include "tests/introspect/sched/synthetic_btf.h"

namespace ktstr::introspect::test {
namespace {

constexpr const char* kWeightMembers[] = {"load.weight", "h_load.weight"};

int add_entity(SyntheticBtf& btf, const RunqueueShape& shape, int node, int list) {
  const int load = btf.add_struct("load_weight", {{"weight", btf.u64}, {"inv_weight", btf.u32}});
  std::vector<SyntheticBtf::Member> members{{"load", load}};
  if (shape.hierarchical_weight) members.push_back({"h_load", load});
  members.insert(members.end(), {{"run_node", node},
                                 {"deadline", btf.u64},
                                 {"group_node", list},
                                 {"on_rq", btf.u8},
                                 {"sched_delayed", btf.u8},
                                 {"vruntime", btf.u64},
                                 {"slice", btf.u64},
                                 {"my_q", btf.pointer}});
  return btf.add_struct("sched_entity", members);
}

int add_cfs_rq_type(SyntheticBtf& btf, const RunqueueShape& shape, int cached_root) {
  std::vector<SyntheticBtf::Member> members{
      {shape.nr_queued, btf.u32},
      {"h_nr_runnable", btf.u32},
      {shape.sum_w_vruntime, btf.s64},
      {shape.sum_weight, btf.u64},
      {shape.zero_vruntime ? "zero_vruntime" : "min_vruntime", btf.u64}};
  if (shape.hierarchical_weight) members.push_back({"sum_shift", btf.u32});
  members.push_back({"tasks_timeline", cached_root});
  members.push_back({"curr", btf.pointer});
  return btf.add_struct("cfs_rq", members);
}

}  // namespace

std::vector<std::byte> RunqueueShape::btf() const {
  SyntheticBtf btf;
  const int list = btf.add_struct("list_head", {{"next", btf.pointer}, {"prev", btf.pointer}});
  const int node = btf.add_struct(
      "rb_node", {{"__rb_parent_color", btf.u64}, {"rb_right", btf.pointer}, {"rb_left", btf.pointer}});
  const int root = btf.add_struct("rb_root", {{"rb_node", btf.pointer}});
  const int cached = btf.add_struct("rb_root_cached", {{"rb_root", root}, {"rb_leftmost", btf.pointer}});
  const int fair = add_entity(btf, *this, node, list);
  const int rt = btf.add_struct("sched_rt_entity", {{"run_list", list}});
  const int dl = btf.add_struct(
      "sched_dl_entity",
      {{"rb_node", node}, {"dl_period", btf.u64}, {"runtime", btf.s64}, {"deadline", btf.u64}});
  btf.add_struct("task_struct", {{"on_cpu", btf.s32},
                                 {"se", fair},
                                 {"rt", rt},
                                 {"dl", dl},
                                 {"sched_class", btf.pointer},
                                 {"pid", btf.s32},
                                 {"comm", btf.array(btf.u8, 16)}});
  const int cfs_rq = add_cfs_rq_type(btf, *this, cached);
  const int array =
      btf.add_struct("rt_prio_array", {{"bitmap", btf.array(btf.u64, 2)}, {"queue", btf.array(list, 100)}});
  const int rt_rq = btf.add_struct("rt_rq", {{"active", array}, {"rt_nr_running", btf.u32}});
  const int dl_rq = btf.add_struct("dl_rq", {{"root", cached}, {"dl_nr_running", btf.u32}});
  const int scx = btf.add_struct("scx_rq", {{"nr_running", btf.u32}});
  std::vector<SyntheticBtf::Member> members{
      {"nr_running", btf.u32}, {"curr", btf.pointer}, {"nr_switches", btf.u64},
      {"cfs", cfs_rq},         {"rt", rt_rq},         {"dl", dl_rq},
      {"fair_server", dl},     {"clock", btf.u64},    {"online", btf.s32}};
  if (sched_ext) members.push_back({"scx", scx});
  btf.add_struct("rq", members);
  return btf.bytes();
}

RunqueueGuest::RunqueueGuest(const RunqueueShape& shape, std::size_t cpus)
    : SyntheticGuest(shape.btf(), cpus), shape_(shape) {
  runqueues_ = add_per_cpu_symbol("runqueues", size_of("rq"));
  for (const char* name : {"fair", "rt", "dl", "idle"}) add_symbol(std::string(name) + "_sched_class", 64);
  for (std::size_t cpu = 0; cpu < cpus; ++cpu) {
    set_rq(cpu, "online", std::int32_t{1});
    for (std::uint64_t i = 0; i < 100; ++i) {
      const auto head = rq(cpu) + offset("rq", "rt.active") + offset("rt_prio_array", "queue") + 16 * i;
      write(head, head);
      write(head + 8, head);
    }
  }
}

std::uint64_t RunqueueGuest::offset(std::string_view structure, std::string_view path) const {
  return btf().member(*btf().find_struct(structure), path)->byte_offset();
}

KernelVirt RunqueueGuest::add_task(std::int32_t pid, std::string_view comm, std::string_view sched_class) {
  const auto task = allocate(size_of("task_struct"));
  set(task, "task_struct", "pid", pid);
  std::array<char, 16> name{};
  std::copy(comm.begin(), comm.end(), name.begin());
  set(task, "task_struct", "comm", name);
  set(task, "task_struct", "sched_class", symbol(std::string(sched_class) + "_sched_class"));
  return task;
}

KernelVirt RunqueueGuest::set_fair(KernelVirt task, std::uint64_t weight, std::uint64_t vruntime,
                                   std::uint64_t deadline) {
  const auto entity = task + offset("task_struct", "se");
  set(entity, "sched_entity", kWeightMembers[shape_.hierarchical_weight], weight);
  set(entity, "sched_entity", "vruntime", vruntime);
  set(entity, "sched_entity", "deadline", deadline);
  set(entity, "sched_entity", "on_rq", std::uint8_t{1});
  return entity;
}

KernelVirt RunqueueGuest::add_group(std::uint64_t weight, std::uint64_t vruntime, KernelVirt queue) {
  const auto entity = allocate(size_of("sched_entity"));
  set(entity, "sched_entity", kWeightMembers[shape_.hierarchical_weight], weight);
  set(entity, "sched_entity", "vruntime", vruntime);
  set(entity, "sched_entity", "on_rq", std::uint8_t{1});
  set(entity, "sched_entity", "my_q", queue);
  return entity;
}

std::uint64_t RunqueueGuest::scaled(std::uint64_t weight) const {
  return shape_.hierarchical_weight ? weight : std::max<std::uint64_t>(2, weight >> 10);
}

/// A tree that is a chain to the right: in order from the top.
void RunqueueGuest::build_tree(KernelVirt root, std::uint64_t node_offset,
                               const std::vector<KernelVirt>& entities) {
  KernelVirt link = root;
  KernelVirt parent;
  for (const auto entity : entities) {
    const auto node = entity + node_offset;
    write(link, node);
    set(node, "rb_node", "__rb_parent_color", parent.value() | 1);
    parent = node;
    link = node + offset("rb_node", "rb_right");
  }
}

void RunqueueGuest::fill(KernelVirt cfs_rq, std::uint64_t base, const std::vector<KernelVirt>& entities,
                         std::optional<KernelVirt> running) {
  std::int64_t sum = 0;
  std::uint64_t total = 0;
  for (const auto entity : entities) {
    std::uint64_t weight = 0, vruntime = 0;
    std::memcpy(&weight, at(entity + offset("sched_entity", kWeightMembers[shape_.hierarchical_weight])), 8);
    std::memcpy(&vruntime, at(entity + offset("sched_entity", "vruntime")), 8);
    sum += static_cast<std::int64_t>(vruntime - base) * static_cast<std::int64_t>(scaled(weight));
    total += scaled(weight);
  }
  set(cfs_rq, "cfs_rq", shape_.sum_w_vruntime, sum);
  set(cfs_rq, "cfs_rq", shape_.sum_weight, total);
  set(cfs_rq, "cfs_rq", shape_.zero_vruntime ? "zero_vruntime" : "min_vruntime", base);
  set(cfs_rq, "cfs_rq", "curr", running.value_or(KernelVirt{}));
  set(cfs_rq, "cfs_rq", shape_.nr_queued, static_cast<std::uint32_t>(entities.size() + (running ? 1 : 0)));
  build_tree(cfs_rq + offset("cfs_rq", "tasks_timeline"), offset("sched_entity", "run_node"), entities);
}

void RunqueueGuest::add_rt(std::size_t cpu, KernelVirt task, std::uint32_t priority) {
  const auto head =
      rq(cpu) + offset("rq", "rt.active") + offset("rt_prio_array", "queue") + 16 * (99 - priority);
  const auto node = task + offset("task_struct", "rt") + offset("sched_rt_entity", "run_list");
  KernelVirt last;
  std::memcpy(&last, at(head + 8), 8);
  write(last, node);
  write(node, head);
  write(node + 8, last);
  write(head + 8, node);
  std::uint32_t count = 0;
  std::memcpy(&count, at(rq(cpu) + offset("rq", "rt.rt_nr_running")), 4);
  set_rq(cpu, "rt.rt_nr_running", count + 1);
}

void RunqueueGuest::set_deadline_tree(std::size_t cpu, const std::vector<KernelVirt>& entities) {
  build_tree(rq(cpu) + offset("rq", "dl.root"), offset("sched_dl_entity", "rb_node"), entities);
  set_rq(cpu, "dl.dl_nr_running", static_cast<std::uint32_t>(entities.size()));
}

}  // namespace ktstr::introspect::test
