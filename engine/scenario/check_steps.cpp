#include "engine/scenario/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <set>
#include <string_view>

#include "engine/scenario/cgroup_tree.h"
#include "engine/scenario/check_ops.h"
#include "engine/scenario/resolve.h"
#include "engine/scenario/workers.h"

namespace ktstr::engine {
namespace {

/// Seeds change which CPUs a random subset has, never whether there is one.
constexpr std::uint64_t kAnySeed = 0;

/// More than a kernel has thread ids for (PID_MAX_DEFAULT, include/linux/threads.h).
constexpr std::uint64_t kMostStarted = 32'768;

/// The cgroups that an op names.
template <class SomeOp, class Visit>
void for_each_cgroup(const SomeOp& op, Visit visit) {
  for_each_field<SomeOp>([&](const auto& field) {
    constexpr std::string_view kNames[] = {"cgroup", "from", "to", "a", "b"};
    if constexpr (std::same_as<std::remove_cvref_t<decltype(op.*field.member)>, std::string>)
      if (std::ranges::find(kNames, field.name) != std::end(kNames)) visit(op.*field.member);
  });
}

class Walk {
 public:
  explicit Walk(const vmm::Topology& topology) : topology_(topology) {}

  /// What is attached before the first step.
  void attach(const std::optional<SchedulerDef>& scheduler) { attached_ = scheduler.has_value(); }

  ReadStatus add_all(const std::map<std::string, CgroupDef>& cgroups, const Place& place) {
    auto status = place.error_of(tree_.check_room(cgroups.size()));
    if (status) return status;
    for (const auto& [name, def] : cgroups)
      add_error(status, add(name, def, place.member(name), place.member(name)));
    return status;
  }

  /// Workers so far: as long as no step has begun, they are there at the same time.
  [[nodiscard]] std::uint64_t started() const { return started_; }

  /// What `setup` made ends with the step, numbered from 1.
  void end_all(const std::map<std::string, CgroupDef>& cgroups, std::size_t step) {
    for (const auto& [name, def] : cgroups) tree_.end(name, step);
  }

  ReadStatus run(const std::vector<Op>& ops, const Place& place) {
    ReadStatus status;
    for (std::size_t i = 0; i < ops.size(); ++i)
      add_error(status, std::visit([&](const auto& op) { return try_op(op, place.element(i)); }, ops[i]));
    return status;
  }

 private:
  /// What is wrong with an op. When an earlier mistake about one of its cgroups may be the reason of some of
  /// it: only what is wrong whatever its cgroups are.
  template <class SomeOp>
  ReadStatus try_op(const SomeOp& op, const Place& place) {
    bool may_follow = false;
    for_each_cgroup(op, [&](const std::string& name) { may_follow |= doubtful_.contains(name); });
    auto status = apply(op, place);
    if (status) for_each_cgroup(op, [&](const std::string& name) { doubtful_.insert(name); });
    return may_follow ? own_mistakes(op, place) : status;
  }

  template <class SomeOp>
  ReadStatus own_mistakes(const SomeOp&, const Place&) const {
    return {};
  }
  ReadStatus own_mistakes(const AddCgroupOp& op, const Place& place) const {
    const auto at = place.member("def");
    std::optional<CpuSet> cpuset;
    auto status = check_cgroup(op.def, at, cpuset);
    for (std::size_t i = 0; i < op.def.works.size(); ++i)
      add_error(status, check_work_group(op.def.works[i], at.member("works").element(i)));
    return status;
  }
  ReadStatus own_mistakes(const SetCpusetOp& op, const Place& place) const {
    std::optional<CpuSet> cpus;
    return resolve(op.cpuset, place.member("cpuset"), cpus);
  }
  ReadStatus own_mistakes(const SpawnOp& op, const Place& place) const {
    return check_work_group(op.work, place.member("work"));
  }

  /// A cgroup with a mistake is there nevertheless: what follows is not another mistake.
  ReadStatus add(const std::string& name, const CgroupDef& def, const Place& place, const Place& of_name) {
    std::optional<CpuSet> cpuset;
    auto status = check_cgroup(def, place, cpuset);
    const auto added = tree_.add(name, cpuset);
    add_error(status, of_name.error_of(added));
    if (!added) static_cast<void>(tree_.add(name, std::nullopt));
    for (std::size_t i = 0; i < def.works.size(); ++i) {
      const auto at = place.member("works").element(i);
      add_error(status, added ? spawn(name, def.works[i], at, of_name) : check_work_group(def.works[i], at));
    }
    if (status) doubtful_.insert(name);
    return status;
  }

  ReadStatus check_cgroup(const CgroupDef& def, const Place& place, std::optional<CpuSet>& cpuset) const {
    auto status = check_limits(def, place);
    if (def.cpuset) add_error(status, resolve(*def.cpuset, place.member("cpuset"), cpuset));
    return status;
  }

  ReadStatus resolve(const CpusetSpec& spec, const Place& place, std::optional<CpuSet>& out) const {
    auto cpus = resolve_cpuset(spec, topology_);
    if (!cpus) return place.error(cpus.error().message);
    out = std::move(*cpus);
    return {};
  }

  CpuSet cpus_of(const std::string& cgroup) const {
    return tree_.cpuset(cgroup).value_or(usable_cpus(topology_));
  }

  ReadStatus check_placed(const WorkGroup& group, const CpuSet& cpus, const Place& place) {
    auto status = check_work_group(group, place);
    if (!status) started_ += worker_count(group, cpus.count());
    if (!status && started_ > kMostStarted)
      return place.error("more than " + std::to_string(kMostStarted) + " workers are started in all");
    add_error(status, check_affinity(group.affinity, cpus, place.member("affinity")));
    return status;
  }

  /// What one worker can have, any number can.
  ReadStatus check_affinity(const AffinitySpec& spec, const CpuSet& cpus, const Place& place) const {
    return place.error_of(resolve_affinity(spec, cpus, topology_, 1, kAnySeed));
  }

  ReadStatus spawn(const std::string& cgroup, const WorkGroup& group, const Place& place,
                   const Place& of_name) {
    if (auto missing = of_name.error_of(tree_.check_exists(cgroup))) {
      auto status = check_work_group(group, place);
      add_error(status, std::move(missing));
      return status;
    }
    const auto cpus = cpus_of(cgroup);
    auto status = check_placed(group, cpus, place);
    const std::uint32_t workers = status ? 1 : worker_count(group, cpus.count());  // 1: as if it were right
    add_error(status, of_name.error_of(tree_.spawn(cgroup, workers)));
    return status;
  }

  ReadStatus apply(const AddCgroupOp& op, const Place& place) {
    return add(op.cgroup, op.def, place.member("def"), place.member("cgroup"));
  }
  ReadStatus apply(const RemoveCgroupOp& op, const Place& place) {
    return place.member("cgroup").error_of(tree_.remove(op.cgroup));
  }
  ReadStatus apply(const SetCpusetOp& op, const Place& place) {
    std::optional<CpuSet> cpus;
    auto status = resolve(op.cpuset, place.member("cpuset"), cpus);
    add_error(status, place.member("cgroup").error_of(cpus ? tree_.set_cpuset(op.cgroup, *cpus)
                                                           : tree_.check_exists(op.cgroup)));
    return status;
  }
  ReadStatus apply(const ClearCpusetOp& op, const Place& place) {
    return place.member("cgroup").error_of(tree_.set_cpuset(op.cgroup, std::nullopt));
  }
  ReadStatus apply(const SwapCpusetsOp& op, const Place& place) {
    auto status = place.error_of(tree_.check_has_cpuset(op.a));
    if (op.a != op.b) add_error(status, place.error_of(tree_.check_has_cpuset(op.b)));
    return status ? status : place.error_of(tree_.swap_cpusets(op.a, op.b));
  }
  ReadStatus apply(const SpawnOp& op, const Place& place) {
    return spawn(op.cgroup, op.work, place.member("work"), place.member("cgroup"));
  }
  ReadStatus apply(const SpawnHostOp& op, const Place& place) {
    return check_placed(op.work, usable_cpus(topology_), place.member("work"));
  }
  ReadStatus apply(const StopCgroupOp& op, const Place& place) {
    return place.member("cgroup").error_of(tree_.stop(op.cgroup));
  }
  ReadStatus apply(const SetAffinityOp& op, const Place& place) {
    const auto of_name = place.member("cgroup");
    if (auto missing = of_name.error_of(tree_.check_exists(op.cgroup))) return missing;
    auto status = of_name.error_of(tree_.workers(op.cgroup));
    add_error(status, check_affinity(op.affinity, cpus_of(op.cgroup), place.member("affinity")));
    return status;
  }
  ReadStatus apply(const MoveAllTasksOp& op, const Place& place) {
    auto status = place.error_of(tree_.workers(op.from));
    if (op.from != op.to) add_error(status, place.error_of(tree_.check_takes_workers(op.to)));
    return status ? status : place.error_of(tree_.move_tasks(op.from, op.to));
  }
  ReadStatus apply(const FreezeCgroupOp& op, const Place& place) {
    return place.member("cgroup").error_of(tree_.set_frozen(op.cgroup, true));
  }
  ReadStatus apply(const UnfreezeCgroupOp& op, const Place& place) {
    return place.member("cgroup").error_of(tree_.set_frozen(op.cgroup, false));
  }

  ReadStatus apply(const AttachSchedulerOp&, const Place& place) {
    if (attached_)
      return place.error("a scheduler is attached already: replace_scheduler puts another in its place");
    attached_ = true;
    return {};
  }
  ReadStatus apply(const DetachSchedulerOp&, const Place& place) {
    if (!attached_) return place.error("no scheduler is attached here");
    attached_ = false;
    return {};
  }
  ReadStatus apply(const ReplaceSchedulerOp&, const Place& place) const { return check_attached(place); }
  ReadStatus apply(const RestartSchedulerOp&, const Place& place) const { return check_attached(place); }
  ReadStatus check_attached(const Place& place) const {
    if (attached_) return {};
    return place.error("no scheduler is attached here: attach_scheduler starts one");
  }

  ReadStatus apply(const CaptureSnapshotOp& op, const Place& place) const {
    return op.name.empty() ? place.member("name").error("expected a name") : ReadStatus{};
  }

  ReadStatus apply(const CaptureCgroupProcsOp& op, const Place& place) const {
    return op.tag.empty() ? place.member("tag").error("expected a tag such as \"before\"") : ReadStatus{};
  }

  ReadStatus apply(const WriteBpfMapOp& op, const Place& place) const { return check_write(op, place); }
  ReadStatus apply(const ReadBpfMapOp& op, const Place& place) const { return check_read(op, place); }
  ReadStatus apply(const PinBpfMapOp& op, const Place& place) { return pinned_.pin(op, place); }

  ReadStatus apply(const CtprofOp& op, const Place& place) { return tags_.add(op, place); }

  const vmm::Topology& topology_;
  CgroupTree tree_;
  PinnedNames pinned_;
  CtprofTags tags_;
  std::set<std::string> doubtful_;  ///< cgroups about which a mistake was told
  std::uint64_t started_ = 0;       ///< workers so far
  bool attached_ = false;           ///< by the ops so far; it may have died since
};

ReadStatus walk_loop(const Step& step, Walk& walk, const Place& place) {
  auto status = walk.add_all(step.setup, place.member("setup"));
  add_error(status, walk.run(step.ops, place.member("ops")));
  if (status) return status;
  auto error = walk.run(step.ops, place.member("ops"));
  if (error) error->message += " (when the loop repeats)";
  return error;
}

ReadStatus walk_step(const Step& step, Walk& walk, const Place& place) {
  if (std::holds_alternative<LoopHold>(step.hold)) return walk_loop(step, walk, place);
  auto status = walk.run(step.ops, place.member("ops"));
  add_error(status, walk.add_all(step.setup, place.member("setup")));
  return status;
}

/// Whether there is room for the workers that are there from the beginning.
ReadStatus check_worker_memory(const Scenario& scenario, std::uint64_t workers, const Place& place) {
  const auto memory = guest_memory(scenario);
  const auto needed = workers * kWorkerBytes;
  if (needed <= memory.bytes) return {};
  return place.member("memory").error(
      fmt::format("out of memory: {} workers need about {} MB, the guest has {} MB", workers, needed >> 20,
                  memory.bytes >> 20));
}

}  // namespace

ReadStatus check_steps(const Scenario& scenario, const Place& place) {
  Walk walk(scenario.topology);
  walk.attach(scenario.scheduler);
  auto status = walk.add_all(scenario.backdrop.cgroups, place.member("backdrop").member("cgroups"));
  add_error(status, walk.add_all(scenario.cgroups, place.member("cgroups")));
  if (!status) status = check_worker_memory(scenario, walk.started(), place);
  for (std::size_t i = 0; i < scenario.steps.size(); ++i) {
    const auto& step = scenario.steps[i];
    add_error(status, walk_step(step, walk, place.member("steps").element(i)));
    if (!step.keep) walk.end_all(step.setup, i + 1);
  }
  return status;
}

}  // namespace ktstr::engine
