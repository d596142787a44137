#include "engine/run/workload.h"

#include "engine/scenario/resolve.h"
#include "engine/scenario/workers.h"

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

Error unexpected_reply() {
  return {ErrorCode::kCorrupt, "the agent answered with a reply of another kind"};
}

}  // namespace

Workload::Workload(Guest& guest, const vmm::Topology& topology, std::uint64_t seed)
    : guest_(guest), topology_(topology), seed_(seed) {}

std::size_t Workload::worker_count() const {
  std::size_t count = 0;
  for (const auto& running : running_) count += running.tids.size();
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
  for (const auto& running : running_) {
    auto& allowed = groups_[running.group].allowed;
    allowed = allowed | effective_cpus(running.cgroup);
  }
}

Status Workload::ask_done(const protocol::Request& request) {
  const auto reply = KTSTR_TRY(guest_.ask(request));
  if (!std::holds_alternative<protocol::Done>(reply)) return unexpected_reply();
  return ok();
}

Status Workload::ask_for_reports(const protocol::Request& request) {
  auto reply = KTSTR_TRY(guest_.ask(request));
  auto* stopped = std::get_if<protocol::Stopped>(&reply);
  if (!stopped) return unexpected_reply();
  for (auto& report : stopped->reports) file_report(std::move(report));
  return ok();
}

/// The group that still runs the tid gets the report. A tid that no group has is a worker whose start failed
/// halfway: its report stands in a group of its own rather than being dropped.
void Workload::file_report(protocol::WorkerReport report) {
  for (auto running = running_.begin(); running != running_.end(); ++running) {
    if (running->tids.erase(report.tid) == 0) continue;
    groups_[running->group].reports.push_back(std::move(report));
    if (running->tids.empty()) running_.erase(running);
    return;
  }
  groups_.push_back(
      {report.cgroup.value_or(std::string(kHostCgroup)), report.work, effective_cpus(report.cgroup), {}});
  groups_.back().reports.push_back(std::move(report));
}

Status Workload::add_cgroup(const std::string& name, const CgroupDef& def) {
  KTSTR_TRY_STATUS(make_cgroup(name, def));
  return start_workers(name, def);
}

Status Workload::make_cgroup(const std::string& name, const CgroupDef& def) {
  std::optional<CpuSet> cpus;
  if (def.cpuset) cpus = KTSTR_TRY(resolve_cpuset(*def.cpuset, topology_));
  KTSTR_TRY_STATUS(
      ask_done(protocol::AddCgroup{name, cpus, def.cpu_weight, def.cpu_quota, def.memory_max, def.pids_max}));
  cpusets_[name] = cpus;
  return ok();
}

Status Workload::start_workers(const std::string& name, const CgroupDef& def) {
  for (const auto& work : def.works) KTSTR_TRY_STATUS(spawn(name, work));
  return ok();
}

Status Workload::spawn(const std::optional<std::string>& cgroup, const WorkGroup& work) {
  const auto cpus = effective_cpus(cgroup);
  const auto workers = engine::worker_count(work, cpus.count());
  auto affinities =
      KTSTR_TRY(resolve_affinity(work.affinity, cpus, topology_, workers, seed_ + groups_.size()));
  const auto reply = KTSTR_TRY(guest_.ask(
      protocol::SpawnWorkers{cgroup, work.work, std::move(affinities), work.policy, work.nice, work.comm}));
  const auto* spawned = std::get_if<protocol::Spawned>(&reply);
  if (!spawned) return unexpected_reply();
  running_.push_back({groups_.size(), cgroup, {spawned->tids.begin(), spawned->tids.end()}});
  groups_.push_back({cgroup.value_or(std::string(kHostCgroup)), std::string(work_name(work.work)), cpus, {}});
  return ok();
}

Status Workload::set_cpuset(const std::string& cgroup, std::optional<CpuSet> cpus) {
  KTSTR_TRY_STATUS(ask_done(protocol::SetCpuset{cgroup, cpus}));
  cpusets_[cgroup] = std::move(cpus);
  widen_allowed();
  return ok();
}

Status Workload::set_affinity(const std::string& cgroup, const AffinitySpec& spec) {
  std::size_t workers = 0;
  for (const auto& running : running_)
    if (running.cgroup == cgroup) workers += running.tids.size();
  auto affinities =
      KTSTR_TRY(resolve_affinity(spec, effective_cpus(cgroup), topology_, workers, seed_ + groups_.size()));
  return ask_done(protocol::SetAffinity{cgroup, std::move(affinities)});
}

Status Workload::move_tasks(const std::string& from, const std::string& to) {
  KTSTR_TRY_STATUS(ask_done(protocol::MoveTasks{from, to}));
  for (auto& running : running_)
    if (running.cgroup == from) running.cgroup = to;
  widen_allowed();
  return ok();
}

Status Workload::remove_cgroup(const std::string& cgroup) {
  KTSTR_TRY_STATUS(ask_for_reports(protocol::RemoveCgroup{cgroup}));
  std::erase_if(cpusets_, [&](const auto& entry) { return is_within(entry.first, cgroup); });
  return ok();
}

Status Workload::stop_all() {
  return ask_for_reports(protocol::StopWorkers{});
}

struct Workload::Apply {
  Workload& load;

  Status operator()(const AddCgroupOp& op) const { return load.add_cgroup(op.cgroup, op.def); }
  Status operator()(const RemoveCgroupOp& op) const { return load.remove_cgroup(op.cgroup); }
  Status operator()(const SetCpusetOp& op) const {
    return load.set_cpuset(op.cgroup, KTSTR_TRY(resolve_cpuset(op.cpuset, load.topology_)));
  }
  Status operator()(const ClearCpusetOp& op) const { return load.set_cpuset(op.cgroup, {}); }
  Status operator()(const SwapCpusetsOp& op) const {
    const auto a = load.cpusets_[op.a], b = load.cpusets_[op.b];
    KTSTR_TRY_STATUS(load.set_cpuset(op.a, b));
    return load.set_cpuset(op.b, a);
  }
  Status operator()(const SpawnOp& op) const { return load.spawn(op.cgroup, op.work); }
  Status operator()(const SpawnHostOp& op) const { return load.spawn({}, op.work); }
  Status operator()(const StopCgroupOp& op) const {
    return load.ask_for_reports(protocol::StopWorkers{op.cgroup});
  }
  Status operator()(const SetAffinityOp& op) const { return load.set_affinity(op.cgroup, op.affinity); }
  Status operator()(const MoveAllTasksOp& op) const { return load.move_tasks(op.from, op.to); }
  Status operator()(const FreezeCgroupOp& op) const {
    return load.ask_done(protocol::FreezeCgroup{op.cgroup, true});
  }
  Status operator()(const UnfreezeCgroupOp& op) const {
    return load.ask_done(protocol::FreezeCgroup{op.cgroup, false});
  }
  template <class SchedulerOp>
  Status operator()(const SchedulerOp&) const {
    return Error{ErrorCode::kInvalidArgument, "not an op on cgroups or workers"};
  }
};

Status Workload::apply(const Op& op) {
  return std::visit(Apply{*this}, op);
}

}  // namespace ktstr::engine
