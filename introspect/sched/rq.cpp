#include "introspect/sched/rq.h"

#include "introspect/sched/captured.h"

namespace ktstr::introspect {
namespace {

std::optional<RqSchedstat> schedstat(const RqLayout& layout, const StructBytes& bytes, bool counting) {
  const auto run_delay = layout.run_delay.read(bytes);
  const auto pcount = layout.pcount.read(bytes);
  if (!run_delay || !pcount) return std::nullopt;
  RqSchedstat stat{*run_delay, *pcount, {}, {}, {}, {}, {}};
  if (!counting) return stat;
  stat.yld_count = layout.yld_count.read(bytes);
  stat.sched_count = layout.sched_count.read(bytes);
  stat.sched_goidle = layout.sched_goidle.read(bytes);
  stat.ttwu_count = layout.ttwu_count.read(bytes);
  stat.ttwu_local = layout.ttwu_local.read(bytes);
  return stat;
}

void require(std::vector<MissingCapability>& missing, std::string capability, std::string_view config,
             std::initializer_list<std::pair<const FieldBase*, std::string_view>> fields) {
  std::string members;
  for (const auto& [field, name] : fields)
    if (!field->present()) members.append(members.empty() ? "" : ", ").append(name);
  if (!members.empty())
    missing.push_back({std::move(capability), "struct rq: no " + members + " (" + std::string(config) + ")"});
}

}  // namespace

std::vector<MissingCapability> RqLayout::missing() const {
  std::vector<MissingCapability> groups;
  require(
      groups, "sched_ext run queues", "CONFIG_SCHED_CLASS_EXT",
      {{&scx_nr_running, "scx.nr_running"}, {&local_dsq_nr, "scx.local_dsq.nr"}, {&scx_flags, "scx.flags"}});
  require(groups, "schedstat", "CONFIG_SCHEDSTATS",
          {{&run_delay, "rq_sched_info.run_delay"},
           {&pcount, "rq_sched_info.pcount"},
           {&yld_count, "yld_count"},
           {&sched_count, "sched_count"},
           {&sched_goidle, "sched_goidle"},
           {&ttwu_count, "ttwu_count"},
           {&ttwu_local, "ttwu_local"}});
  return groups;
}

RqSnapshot rq_snapshot(const RqLayout& layout, const StructBytes& bytes, bool counting) {
  RqSnapshot snapshot;
  snapshot.nr_running = captured(layout.nr_running, bytes);
  snapshot.clock_ns = captured(layout.clock, bytes);
  snapshot.sd = layout.sd.read(bytes).value_or(KernelVirt{});
  snapshot.scx_nr_running = layout.scx_nr_running.read(bytes);
  snapshot.local_dsq_depth = layout.local_dsq_nr.read(bytes);
  snapshot.scx_flags = layout.scx_flags.read(bytes);
  snapshot.schedstat = schedstat(layout, bytes, counting);
  return snapshot;
}

}  // namespace ktstr::introspect
