// Workload: the cgroups and workers of a running scenario, what is known of them, and what is done to them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/run/guest.h"
#include "engine/scenario/scenario.h"
#include "engine/verdict/worker_group.h"

namespace ktstr::engine {

/// Turns a scenario's ops into requests to the guest and keeps the account of cpusets and workers that the
/// verdict needs. An op that failed leaves the account as it was before the request that failed.
class Workload {
 public:
  /// `guest` must outlive the workload. Equal seeds give equal random affinities.
  Workload(Guest& guest, const vmm::Topology& topology, std::uint64_t seed);

  /// Makes a cgroup and starts its workers.
  [[nodiscard]] Status add_cgroup(const std::string& name, const CgroupDef& def);
  /// The two parts of that.
  [[nodiscard]] Status make_cgroup(const std::string& name, const CgroupDef& def);
  [[nodiscard]] Status start_workers(const std::string& name, const CgroupDef& def);
  /// Stops the cgroup's workers and removes it, and those inside it. Nothing happens when it is gone already.
  [[nodiscard]] Status end_cgroup(const std::string& name);
  [[nodiscard]] bool has_cgroup(const std::string& name) const { return cpusets_.contains(name); }
  [[nodiscard]] Status apply(const AddCgroupOp& op) { return add_cgroup(op.cgroup, op.def); }
  [[nodiscard]] Status apply(const RemoveCgroupOp& op) { return remove_cgroup(op.cgroup); }
  [[nodiscard]] Status apply(const SetCpusetOp& op);
  [[nodiscard]] Status apply(const ClearCpusetOp& op) { return set_cpuset(op.cgroup, {}); }
  [[nodiscard]] Status apply(const SwapCpusetsOp& op);
  [[nodiscard]] Status apply(const SpawnOp& op) { return spawn(op.cgroup, op.work); }
  [[nodiscard]] Status apply(const SpawnHostOp& op) { return spawn({}, op.work); }
  [[nodiscard]] Status apply(const StopCgroupOp& op);
  [[nodiscard]] Status apply(const SetAffinityOp& op) { return set_affinity(op.cgroup, op.affinity); }
  [[nodiscard]] Status apply(const MoveAllTasksOp& op) { return move_tasks(op.from, op.to); }
  [[nodiscard]] Status apply(const FreezeCgroupOp& op);
  [[nodiscard]] Status apply(const UnfreezeCgroupOp& op);
  /// Stops every worker there is and keeps the reports.
  [[nodiscard]] Status stop_all();

  [[nodiscard]] std::size_t cgroup_count() const { return cpusets_.size(); }
  [[nodiscard]] std::size_t worker_count() const;
  /// All groups ever started, in order; reports come in as workers stop.
  [[nodiscard]] const std::vector<WorkerGroup>& groups() const { return groups_; }

 private:
  /// The workers of a group that still run.
  struct Running {
    std::optional<std::string> cgroup;  ///< where they are now; absent: the agent's own
    std::size_t workers = 0;
  };

  [[nodiscard]] Status spawn(const std::optional<std::string>& cgroup, const WorkGroup& work);
  [[nodiscard]] Status set_cpuset(const std::string& cgroup, std::optional<CpuSet> cpus);
  [[nodiscard]] Status set_affinity(const std::string& cgroup, const AffinitySpec& spec);
  [[nodiscard]] Status move_tasks(const std::string& from, const std::string& to);
  [[nodiscard]] Status remove_cgroup(const std::string& cgroup);
  [[nodiscard]] Status file_reports(Result<protocol::Stopped> stopped);

  /// The CPUs that a cgroup's tasks may use: its cpuset within its ancestors'. Absent name: all CPUs.
  [[nodiscard]] CpuSet effective_cpus(const std::optional<std::string>& cgroup) const;
  /// Adds the CPUs that running workers may use now to what their groups were ever allowed.
  void widen_allowed();
  void file_report(protocol::WorkerReport report);

  Guest& guest_;
  vmm::Topology topology_;
  std::uint64_t seed_;
  std::map<std::string, std::optional<CpuSet>> cpusets_;
  std::vector<WorkerGroup> groups_;
  std::map<std::size_t, Running> running_;                      ///< by index into groups_
  std::unordered_map<std::int32_t, std::size_t> group_of_tid_;  ///< of those that run
};

}  // namespace ktstr::engine
