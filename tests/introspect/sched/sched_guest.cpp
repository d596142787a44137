#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect::test {
namespace {

constexpr std::int32_t kStateEnabled = 2;
constexpr std::int32_t kStateDisabled = 4;

void add_event_types(SyntheticBtf& btf, const KernelShape& shape) {
  if (shape.events == EventPlace::kNowhere) return;
  std::vector<SyntheticBtf::Member> members;
  for (const auto& name : shape.event_members) members.push_back({name, btf.s64});
  const int stats = btf.add_struct("scx_event_stats", members);
  if (shape.events == EventPlace::kPerCpuSymbol) {
    btf.add_enum("scx_ops_enable_state",
                 {{"SCX_OPS_ENABLED", kStateEnabled}, {"SCX_OPS_DISABLED", kStateDisabled}});
    return;
  }
  const bool nested = shape.events == EventPlace::kSchedPcpu;
  if (nested)
    btf.add_struct("scx_sched_pcpu", {{"sch", btf.pointer}, {"flags", btf.u64}, {"event_stats", stats}});
  btf.add_struct("scx_sched",
                 {{"ops", btf.array(btf.u8, 512)}, {nested ? "pcpu" : "event_stats_cpu", btf.pointer}});
}

void add_rq(SyntheticBtf& btf, const KernelShape& shape) {
  const int dsq =
      btf.add_struct("scx_dispatch_q", {{"lock", btf.u32}, {"list", btf.array(btf.u64, 2)}, {"nr", btf.u32}});
  const int scx = btf.add_struct("scx_rq", {{"local_dsq", dsq}, {"nr_running", btf.u32}, {"flags", btf.u32}});
  const int info = btf.add_struct("sched_info", {{"pcount", btf.u64}, {"run_delay", btf.u64}});
  // The real structure's size, so that a read of it costs what it costs there.
  std::vector<SyntheticBtf::Member> members = {{"nr_running", btf.u32}, {"cfs", btf.array(btf.u64, 256)}};
  if (shape.sched_ext) members.push_back({"scx", scx});
  members.push_back({"leaf_cfs_rq_list", btf.array(btf.u64, 128)});
  members.push_back({"clock", btf.u64});
  if (shape.domains) members.push_back({"sd", btf.pointer});
  members.push_back({"hrtick_timer", btf.array(btf.u64, 128)});
  if (shape.schedstats) {
    members.push_back({"rq_sched_info", info});
    for (const auto* name : {"yld_count", "sched_count", "sched_goidle", "ttwu_count", "ttwu_local"})
      members.push_back({name, btf.u32});
  }
  btf.add_struct("rq", members);
}

void add_domain_stats(SyntheticBtf& btf, const KernelShape& shape,
                      std::vector<SyntheticBtf::Member>& members) {
  const int per_idle_type = btf.array(btf.u32, 3);
  std::vector<std::string> lists = {"lb_count", "lb_failed", "lb_balanced"};
  if (shape.split_imbalance)
    lists.insert(lists.end(),
                 {"lb_imbalance_load", "lb_imbalance_util", "lb_imbalance_task", "lb_imbalance_misfit"});
  else
    lists.push_back("lb_imbalance");
  lists.insert(lists.end(), {"lb_gained", "lb_hot_gained", "lb_nobusyg", "lb_nobusyq"});
  for (const auto& name : lists) members.push_back({name, per_idle_type});
  for (const auto* name :
       {"alb_count", "alb_failed", "alb_pushed", "sbe_count", "sbe_balanced", "sbe_pushed", "sbf_count",
        "sbf_balanced", "sbf_pushed", "ttwu_wake_remote", "ttwu_move_affine", "ttwu_move_balance"})
    members.push_back({name, btf.u32});
}

void add_sched_domain(SyntheticBtf& btf, const KernelShape& shape) {
  std::vector<SyntheticBtf::Member> members = {{"parent", btf.pointer},
                                               {"flags", btf.s32},
                                               {"level", btf.s32},
                                               {"balance_interval", btf.u32},
                                               {"nr_balance_failed", btf.u32}};
  if (shape.newidle)
    for (const auto* name : {"newidle_call", "newidle_success", "newidle_ratio"})
      members.push_back({name, btf.u32});
  members.push_back({"max_newidle_lb_cost", btf.u64});
  if (shape.schedstats) add_domain_stats(btf, shape, members);
  members.push_back({"name", btf.pointer});
  members.push_back({"span_weight", btf.u32});
  if (shape.span_member) {
    members.push_back({"span", btf.array(btf.u64, 0)});
    members.push_back({"padding", btf.u64});  // the mask may begin before the structure's size ends
  }
  btf.add_struct("sched_domain", members);
}

}  // namespace

std::vector<std::byte> KernelShape::btf() const {
  SyntheticBtf types;
  const int counter = types.add_struct("atomic_t", {{"counter", types.s32}});
  const int key = types.add_struct("static_key", {{"enabled", counter}, {"type", types.u64}});
  types.add_struct("static_key_false", {{"key", key}});
  add_rq(types, *this);
  if (domains) add_sched_domain(types, *this);
  add_event_types(types, *this);
  return types.bytes();
}

SchedGuest::SchedGuest(const KernelShape& shape, std::size_t cpus, std::size_t ram_bytes)
    : SyntheticGuest(shape.btf(), cpus, ram_bytes), shape_(shape) {
  runqueues_ = add_per_cpu_symbol("runqueues", size_of("rq"));
  if (shape.schedstats) {
    schedstats_key_ = add_symbol("sched_schedstats", size_of("static_key_false"));
    set_schedstats_switch(1);
  }
  if (shape.events == EventPlace::kPerCpuSymbol) {
    counters_ = add_per_cpu_symbol("event_stats_cpu", size_of("scx_event_stats"));
    enable_state_ = add_symbol("scx_ops_enable_state_var", 4);
    write(enable_state_, kStateDisabled);
  } else if (shape.events != EventPlace::kNowhere) {
    scx_root_ = add_symbol("scx_root", 8);
  }
}

KernelVirt SchedGuest::load_scheduler() {
  if (shape_.events == EventPlace::kPerCpuSymbol) {
    write(enable_state_, kStateEnabled);
    return KernelVirt{};
  }
  const bool nested = shape_.events == EventPlace::kSchedPcpu;
  counters_ = allocate_per_cpu(size_of(nested ? "scx_sched_pcpu" : "scx_event_stats"));
  const auto scheduler = allocate(size_of("scx_sched"));
  set(scheduler, "scx_sched", nested ? "pcpu" : "event_stats_cpu", counters_);
  write(scx_root_, scheduler);
  return scheduler;
}

void SchedGuest::unload_scheduler() {
  if (shape_.events == EventPlace::kPerCpuSymbol)
    write(enable_state_, kStateDisabled);
  else
    write(scx_root_, std::uint64_t{0});
}

void SchedGuest::set_event(std::size_t cpu, std::string_view member, std::int64_t value) {
  const auto own = per_cpu(counters_, cpu);
  if (shape_.events == EventPlace::kSchedPcpu)
    set(own, "scx_sched_pcpu", "event_stats." + std::string(member), value);
  else
    set(own, "scx_event_stats", member, value);
}

KernelVirt SchedGuest::add_domain(std::optional<KernelVirt> child, std::int32_t level, std::string_view name,
                                  const std::vector<std::size_t>& span) {
  const auto domain = allocate(size_of("sched_domain") + (cpus() + 63) / 64 * 8);
  set(domain, "sched_domain", "level", level);
  set(domain, "sched_domain", "name", add_string(name));
  set(domain, "sched_domain", "span_weight", static_cast<std::uint32_t>(span.size()));
  const auto mask = shape_.span_member
                        ? domain + btf().member(*btf().find_struct("sched_domain"), "span")->byte_offset()
                        : domain + size_of("sched_domain");
  for (const auto cpu : span) *at(mask + cpu / 8) |= std::byte{1} << (cpu % 8);
  if (child) set(*child, "sched_domain", "parent", domain);
  return domain;
}

}  // namespace ktstr::introspect::test
