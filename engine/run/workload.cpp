#include "engine/run/workload.h"

#include "engine/scenario/resolve.h"
#include "engine/scenario/workers.h"
#include "engine/verdict/latencies.h"

namespace ktstr::engine {
namespace {

constexpr std::string_view kHostCgroup = "(host)";

std::string_view work_name(const Work& work) {
  return std::visit([](const auto& type) { return describe<std::remove_cvref_t<decltype(type)>>.name; },
                    work);
}

/// Whether `cgroup` is `ancestor` or lies below it.
bool is_within(std::string_view cgroup, std::string_view ancestor) {
  return cgroup == ancestor ||
         (cgroup.size() > ancestor.size() && cgroup.starts_with(ancestor) && cgroup[ancestor.size()] == '/');
}

}  // namespace

Workload::Workload(Guest& guest, const vmm::Topology& topology, std::uint64_t seed)
    : guest_(guest), topology_(topology), seed_(seed) {}

std::size_t Workload::worker_count() const {
  std::size_t count = 0;
  for (const auto& [group, running] : running_) count += running.workers;
  return count;
}

CpuSet Workload::effective_cpus(const std::optional<std::string>& cgroup) const {
  auto cpus = CpuSet::range(0, topology_.cpus());
  if (!cgroup) return cpus;
  for (const auto& [name, cpuset] : cpusets_)
    if (cpuset && is_within(*cgroup, name)) {
      const auto both = cpus & *cpuset;
      if (!both.empty()) cpus = both;  // like the kernel: an empty intersection leaves the parent's
    }
  return cpus;
}

void Workload::widen_allowed() {
  for (const auto& [group, running] : running_) {
    auto& allowed = groups_[group].allowed;
    allowed = allowed | effective_cpus(running.cgroup);
  }
}

Status Workload::file_reports(Result<protocol::Stopped> stopped) {
  auto answer = KTSTR_TRY(std::move(stopped));
  for (auto& report : answer.reports) file_report(std::move(report));
  return ok();
}

/// The group that still runs the tid gets the report. A tid that no group has is a worker whose start failed
/// halfway: its report stands in a group of its own rather than being dropped.
void Workload::file_report(protocol::WorkerReport report) {
  report.wake_latencies_ns = list_wake_latencies(report, protocol::kListedWakeLatencies);
  const auto found = group_of_tid_.find(report.tid);
  if (found == group_of_tid_.end()) {
    groups_.push_back({report.cgroup.value_or(std::string(kHostCgroup)),
                       report.work,
                       effective_cpus(report.cgroup),
                       {},
                       1});
    groups_.back().reports.push_back(std::move(report));
    return;
  }
  const auto group = found->second;
  group_of_tid_.erase(found);
  if (const auto running = running_.find(group); running != running_.end() && --running->second.workers == 0)
    running_.erase(running);
  groups_[group].reports.push_back(std::move(report));
}

Status Workload::add_cgroup(const std::string& name, const CgroupDef& def) {
  KTSTR_TRY(make_cgroup(name, def));
  return start_workers(name, def);
}

Status Workload::make_cgroup(const std::string& name, const CgroupDef& def) {
  std::optional<CpuSet> cpus;
  if (def.cpuset) cpus = KTSTR_TRY(resolve_cpuset(*def.cpuset, topology_));
  KTSTR_TRY(guest_.ask(protocol::AddCgroup{name, cpus, def.cpu_weight, def.cpu_quota, def.memory_max,
                                           def.memory_high, def.pids_max}));
  cpusets_[name] = cpus;
  return ok();
}

Status Workload::start_workers(const std::string& name, const CgroupDef& def) {
  for (const auto& work : def.works) KTSTR_TRY(spawn(name, work));
  return ok();
}

Status Workload::spawn(const std::optional<std::string>& cgroup, const WorkGroup& work) {
  const auto cpus = effective_cpus(cgroup);
  const auto workers = engine::worker_count(work, cpus.count());
  auto affinities =
      KTSTR_TRY(resolve_affinity(work.affinity, cpus, topology_, workers, seed_ + groups_.size()));
  const auto spawned = KTSTR_TRY(guest_.ask(
      protocol::SpawnWorkers{cgroup, work.work, std::move(affinities), work.policy, work.nice, work.comm}));
  for (const auto tid : spawned.tids) group_of_tid_[tid] = groups_.size();
  running_[groups_.size()] = {cgroup, spawned.tids.size()};
  groups_.push_back({cgroup.value_or(std::string(kHostCgroup)),
                     std::string(work_name(work.work)),
                     cpus,
                     {},
                     spawned.tids.size()});
  return ok();
}

Status Workload::set_cpuset(const std::string& cgroup, std::optional<CpuSet> cpus) {
  KTSTR_TRY(guest_.ask(protocol::SetCpuset{cgroup, cpus}));
  cpusets_[cgroup] = std::move(cpus);
  widen_allowed();
  return ok();
}

Status Workload::set_affinity(const std::string& cgroup, const AffinitySpec& spec) {
  std::size_t workers = 0;
  for (const auto& [group, running] : running_)
    if (running.cgroup == cgroup) workers += running.workers;
  auto affinities =
      KTSTR_TRY(resolve_affinity(spec, effective_cpus(cgroup), topology_, workers, seed_ + groups_.size()));
  return guest_.ask(protocol::SetAffinity{cgroup, std::move(affinities)});
}

Status Workload::move_tasks(const std::string& from, const std::string& to) {
  KTSTR_TRY(guest_.ask(protocol::MoveTasks{from, to}));
  for (auto& [group, running] : running_)
    if (running.cgroup == from) running.cgroup = to;
  widen_allowed();
  return ok();
}

Status Workload::remove_cgroup(const std::string& cgroup) {
  KTSTR_TRY(file_reports(guest_.ask(protocol::RemoveCgroup{cgroup})));
  std::erase_if(cpusets_, [&](const auto& entry) { return is_within(entry.first, cgroup); });
  return ok();
}

Status Workload::end_cgroup(const std::string& name) {
  return has_cgroup(name) ? remove_cgroup(name) : ok();
}

Status Workload::stop_all() {
  return file_reports(guest_.ask(protocol::StopWorkers{}));
}

Status Workload::apply(const SetCpusetOp& op) {
  return set_cpuset(op.cgroup, KTSTR_TRY(resolve_cpuset(op.cpuset, topology_)));
}

Status Workload::apply(const SwapCpusetsOp& op) {
  const auto a = cpusets_[op.a], b = cpusets_[op.b];
  KTSTR_TRY(set_cpuset(op.a, b));
  return set_cpuset(op.b, a);
}

Status Workload::apply(const StopCgroupOp& op) {
  return file_reports(guest_.ask(protocol::StopWorkers{op.cgroup}));
}

Status Workload::apply(const FreezeCgroupOp& op) {
  return guest_.ask(protocol::FreezeCgroup{op.cgroup, true});
}

Status Workload::apply(const UnfreezeCgroupOp& op) {
  return guest_.ask(protocol::FreezeCgroup{op.cgroup, false});
}

}  // namespace ktstr::engine
