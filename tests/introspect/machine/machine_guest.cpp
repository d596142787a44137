#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::uint32_t kCssOnline = 2;
constexpr std::size_t kNodemaskBytes = 16;

void add_cpu_types(SyntheticBtf& btf, bool idle_in_cpustat) {
  if (idle_in_cpustat)
    btf.add_struct(
        "kernel_cpustat",
        {{"idle_elapse", btf.u8}, {"idle_entrytime", btf.u64}, {"cpustat", btf.array(btf.u64, 10)}});
  else
    btf.add_struct("kernel_cpustat", {{"cpustat", btf.array(btf.u64, 10)}});
  if (idle_in_cpustat)
    btf.add_struct("tick_sched", {{"flags", btf.u64}, {"idle_entrytime", btf.s64}});
  else
    btf.add_struct("tick_sched", {{"flags", btf.u64},
                                  {"idle_entrytime", btf.s64},
                                  {"idle_sleeptime", btf.s64},
                                  {"iowait_sleeptime", btf.s64}});
  btf.add_struct("kernel_stat", {{"irqs_sum", btf.u64}, {"softirqs", btf.array(btf.u32, 10)}});
  btf.add_enum("cpu_usage_stat", {{"CPUTIME_USER", 0},
                                  {"CPUTIME_NICE", 1},
                                  {"CPUTIME_SYSTEM", 2},
                                  {"CPUTIME_SOFTIRQ", 3},
                                  {"CPUTIME_IRQ", 4},
                                  {"CPUTIME_IDLE", 5},
                                  {"CPUTIME_IOWAIT", 6},
                                  {"CPUTIME_STEAL", 7},
                                  {"CPUTIME_GUEST", 8},
                                  {"CPUTIME_GUEST_NICE", 9}});
  std::vector<std::pair<std::string, std::int64_t>> softirqs;
  for (const auto* name :
       {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"})
    softirqs.emplace_back(std::string(name) + "_SOFTIRQ", softirqs.size());
  btf.add_enum("softirqs", softirqs);
}

void add_cgroup_types(SyntheticBtf& btf) {
  const int list = btf.add_struct("list_head", {{"next", btf.pointer}, {"prev", btf.pointer}});
  const int css =
      btf.add_struct("cgroup_subsys_state",
                     {{"cgroup", btf.pointer}, {"sibling", list}, {"children", list}, {"flags", btf.u32}});
  const int cgroup = btf.add_struct(
      "cgroup", {{"level", btf.u64}, {"self", css}, {"kn", btf.pointer}, {"psi", btf.pointer}});
  btf.add_struct("cgroup_root", {{"kf_root", btf.pointer}, {"cgrp", cgroup}});
  btf.add_struct("kernfs_node", {{"count", btf.u64}, {"name", btf.pointer}});
  btf.add_enum("css_flags", {{"CSS_ONLINE", kCssOnline}});
}

void add_psi_types(SyntheticBtf& btf, bool irq) {
  const std::uint32_t states = irq ? 7 : 6;
  btf.add_struct("psi_group", {{"parent", btf.pointer},
                               {"enabled", btf.u8},
                               {"avg_last_update", btf.u64},
                               {"total", btf.array(btf.u64, 2 * states)},
                               {"avg", btf.array(btf.u64, 3 * states)}});
  std::vector<std::pair<std::string, std::int64_t>> names = {{"PSI_IO_SOME", 0},  {"PSI_IO_FULL", 1},
                                                             {"PSI_MEM_SOME", 2}, {"PSI_MEM_FULL", 3},
                                                             {"PSI_CPU_SOME", 4}, {"PSI_CPU_FULL", 5}};
  if (irq) names.emplace_back("PSI_IRQ_FULL", 6);
  names.emplace_back("PSI_NONIDLE", states);
  btf.add_enum("psi_states", names);
  btf.add_enum("psi_aggregators", {{"PSI_AVGS", 0}, {"PSI_POLL", 1}});
  const int counter = btf.add_struct("atomic_t", {{"counter", btf.s32}});
  btf.add_struct("static_key", {{"enabled", counter}});
}

void add_numa_types(SyntheticBtf& btf) {
  const int zone = btf.add_struct("zone", {{"per_cpu_zonestats", btf.pointer},
                                           {"present_pages", btf.u64},
                                           {"vm_numa_event", btf.array(btf.u64, 6)}});
  btf.add_struct("pglist_data", {{"node_zones", btf.array(zone, 2)}, {"node_id", btf.s32}});
  btf.add_struct("per_cpu_zonestat", {{"stat_threshold", btf.u64}, {"vm_numa_event", btf.array(btf.u64, 6)}});
  btf.add_struct("nodemask_t", {{"bits", btf.array(btf.u64, kNodemaskBytes / 8)}});
  btf.add_enum("node_states", {{"N_POSSIBLE", 0}, {"N_ONLINE", 1}});
  btf.add_enum("numa_stat_item", {{"NUMA_HIT", 0},
                                  {"NUMA_MISS", 1},
                                  {"NUMA_FOREIGN", 2},
                                  {"NUMA_INTERLEAVE_HIT", 3},
                                  {"NUMA_LOCAL", 4},
                                  {"NUMA_OTHER", 5}});
}

std::vector<std::byte> types(const MachineShape& shape) {
  SyntheticBtf btf;
  add_cpu_types(btf, shape.idle_in_cpustat);
  add_cgroup_types(btf);
  add_psi_types(btf, shape.irq_pressure);
  add_numa_types(btf);
  return btf.bytes();
}

}  // namespace

MachineGuest::MachineGuest(const MachineShape& shape) : SyntheticGuest(types(shape), kCpus) {
  add_per_cpu_symbol("kernel_cpustat", size_of("kernel_cpustat"));
  add_per_cpu_symbol("kstat", size_of("kernel_stat"));
  add_per_cpu_symbol("tick_cpu_sched", size_of("tick_sched"));
  add_symbol("psi_disabled", size_of("static_key"));
  add_symbol("psi_system", size_of("psi_group"));
  add_symbol("cgrp_dfl_root", size_of("cgroup_root"));
  const KernelVirt children = member(root_cgroup(), "cgroup", "self.children");
  write(children, children);
  write(children + 8, children);
  add_nodes();
}

void MachineGuest::add_nodes() {
  add_symbol("node_data", 128 * kNodes);
  write(add_symbol("node_states", 6 * kNodemaskBytes) + kNodemaskBytes, (std::uint64_t{1} << kNodes) - 1);
  boot_zonestats_ = allocate_per_cpu(size_of("per_cpu_zonestat"));
  for (std::uint64_t node = 0; node < kNodes; ++node) {
    nodes_.push_back(allocate(size_of("pglist_data")));
    zonestats_.push_back(allocate_per_cpu(size_of("per_cpu_zonestat")));
    write(symbol("node_data") + node * 8, nodes_[node]);
    set(nodes_[node], "pglist_data", "node_id", static_cast<std::int32_t>(node));
    set(zone(node, 0), "zone", "per_cpu_zonestats", zonestats_[node]);
    set(zone(node, 0), "zone", "present_pages", std::uint64_t{1000});
    set(zone(node, 1), "zone", "per_cpu_zonestats", boot_zonestats_);
  }
}

KernelVirt MachineGuest::root_cgroup() const {
  return member(symbol("cgrp_dfl_root"), "cgroup_root", "cgrp");
}

KernelVirt MachineGuest::psi_of(KernelVirt cgroup) {
  return get<KernelVirt>(member(cgroup, "cgroup", "psi"));
}

KernelVirt MachineGuest::zone(std::size_t node, std::size_t index) const {
  return member(nodes_[node], "pglist_data", "node_zones") + index * size_of("zone");
}

KernelVirt MachineGuest::member(KernelVirt base, std::string_view structure, std::string_view path) const {
  return base + btf().member(*btf().find_struct(structure), path).value().byte_offset();
}

KernelVirt MachineGuest::add_cgroup(KernelVirt parent, std::string_view name) {
  const KernelVirt cgroup = allocate(size_of("cgroup"));
  const KernelVirt node = allocate(size_of("kernfs_node"));
  set(node, "kernfs_node", "name", add_string(name));
  set(cgroup, "cgroup", "kn", node);
  set(cgroup, "cgroup", "psi", allocate(size_of("psi_group")));
  set(cgroup, "cgroup", "self.flags", kCssOnline);
  const KernelVirt own_children = member(cgroup, "cgroup", "self.children");
  write(own_children, own_children);
  // list_add_tail()
  const KernelVirt head = member(parent, "cgroup", "self.children");
  const KernelVirt sibling = member(cgroup, "cgroup", "self.sibling");
  const auto last = get<KernelVirt>(head + 8);
  write(last.is_null() ? head : last, sibling);
  write(sibling, head);
  write(head + 8, sibling);
  return cgroup;
}

}  // namespace ktstr::introspect::test
