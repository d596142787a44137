#include "engine/scenario/checks.h"

#include <fmt/format.h>

#include <cmath>
#include <concepts>

namespace ktstr::engine {
namespace {

constexpr std::uint32_t kMostWorkers = 16'384;
/// TASK_COMM_LEN (include/linux/sched.h) is 16 with the terminator.
constexpr std::size_t kLongestComm = 15;

template <class T>
ReadStatus check_range(T value, T lowest, T highest, const Place& place) {
  if (value >= lowest && value <= highest) return {};
  return place.error(fmt::format("must be from {} to {}, not {}", lowest, highest, value));
}

ReadStatus check_positive(std::uint64_t value, const Place& place) {
  if (value > 0) return {};
  return place.error("must be above 0");
}

ReadStatus check_workers(const WorkGroup& group, const Place& place) {
  if (group.workers && group.workers_pct)
    return place.member("workers_pct").error("workers is set already; use one of the two");
  if (group.workers_pct) {
    if (std::isfinite(*group.workers_pct) && *group.workers_pct > 0 && *group.workers_pct <= 64) return {};
    return place.member("workers_pct").error("must be a fraction of the CPUs, above 0 and at most 64");
  }
  if (!group.workers) return place.error("workers or workers_pct must say how many workers there are");
  const auto here = place.member("workers");
  if (auto error = check_range<std::uint32_t>(*group.workers, 1, kMostWorkers, here)) return error;
  const auto size = work_group_size(group.work);
  if (*group.workers % size == 0) return {};
  const auto type = std::visit([]<class W>(const W&) { return std::string(describe<W>.name); }, group.work);
  return here.error(fmt::format("{} is not a multiple of {}: {} workers come in groups of {}", *group.workers,
                                size, type, size));
}

struct PolicyChecker {
  Place place;

  ReadStatus operator()(const FifoPolicy& policy) const { return check_priority(policy.priority); }
  ReadStatus operator()(const RrPolicy& policy) const { return check_priority(policy.priority); }
  /// The kernel's own rules: __checkparam_dl() in kernel/sched/deadline.c.
  ReadStatus operator()(const DeadlinePolicy& policy) const {
    ReadStatus status;
    if (policy.runtime.ns < 1024)
      status = place.member("runtime").error("must be at least 1024ns");
    else if (policy.runtime > policy.deadline)
      status =
          place.member("runtime").error("must be at most the deadline, " + format_duration(policy.deadline));
    if (policy.deadline > policy.period)
      add_error(
          status,
          place.member("deadline").error("must be at most the period, " + format_duration(policy.period)));
    return status;
  }
  template <class Other>
  ReadStatus operator()(const Other&) const {
    return {};
  }

 private:
  ReadStatus check_priority(std::uint32_t priority) const {
    if (priority > kHighestPriority && priority <= kAgentPriority)
      return place.member("priority")
          .error(fmt::format(
              "must be from 1 to {}, not {}: those above are the agent's and of schedulers that load",
              kHighestPriority, priority));
    return check_range<std::uint32_t>(priority, 1, kHighestPriority, place.member("priority"));
  }
};

ReadStatus check_phases(const Sequence& sequence, const Place& place) {
  if (sequence.phases.empty()) return place.error("a sequence needs at least one phase");
  ReadStatus status;
  for (std::size_t i = 0; i < sequence.phases.size(); ++i) {
    const auto duration = std::visit([](const auto& phase) { return phase.duration; }, sequence.phases[i]);
    if (duration.ns <= 0)
      add_error(status, place.element(i).member("duration").error("must be longer than 0"));
  }
  return status;
}

ReadStatus check_nice_sweep(const NiceSweep& sweep, const Place& place) {
  auto status = check_range<std::int32_t>(sweep.lowest, -20, 19, place.member("lowest"));
  add_error(status, check_range<std::int32_t>(sweep.highest, -20, 19, place.member("highest")));
  if (status || sweep.lowest <= sweep.highest) return status;
  return place.member("lowest").error("must be at most highest, " + std::to_string(sweep.highest));
}

/// How many loop turns lie between what a type is there to do: none, where it does something else as well.
template <class W>
constexpr bool may_be_zero(std::string_view field) {
  constexpr bool only_spins = std::same_as<W, CpuSpin>;
  return !only_spins && (field == "iterations" || field == "spin" || field == "hold" || field == "work");
}

/// A parameter of no amount makes a worker that does nothing; only pauses may be 0.
ReadStatus check_parameter(std::uint32_t value, const Place& place) {
  return check_positive(value, place);
}
ReadStatus check_parameter(ByteSize value, const Place& place) {
  return check_positive(value.bytes, place);
}
ReadStatus check_parameter(Duration, const Place&) {
  return {};
}

struct WorkChecker {
  Place place;

  ReadStatus operator()(const Sequence& work) const { return check_phases(work, place.member("phases")); }
  ReadStatus operator()(const NiceSweep& work) const { return check_nice_sweep(work, place); }
  ReadStatus operator()(const Bursty& work) const {
    return check_positive(static_cast<std::uint64_t>(work.burst.ns), place.member("burst"));
  }
  ReadStatus operator()(const TimerLatency& work) const {
    return check_positive(static_cast<std::uint64_t>(work.interval.ns), place.member("interval"));
  }
  template <class W>
  ReadStatus operator()(const W& work) const {
    ReadStatus status;
    for_each_field<W>([&](const auto& field) {
      if (!may_be_zero<W>(field.name))
        add_error(status, check_parameter(work.*field.member, place.member(field.name)));
    });
    return status;
  }
};

}  // namespace

ReadStatus check_work_group(const WorkGroup& group, const Place& place) {
  auto status = std::visit(WorkChecker{place}, group.work);
  add_error(status, check_workers(group, place));
  add_error(status, std::visit(PolicyChecker{place.member("policy")}, group.policy));
  add_error(status, check_range<std::int32_t>(group.nice, -20, 19, place.member("nice")));
  if (group.comm.size() > kLongestComm)
    add_error(status,
              place.member("comm").error("must be at most " + std::to_string(kLongestComm) + " bytes long"));
  return status;
}

ReadStatus check_limits(const CgroupDef& def, const Place& place) {
  ReadStatus status;
  if (def.cpu_weight)
    add_error(status, check_range<std::uint32_t>(*def.cpu_weight, 1, 10'000, place.member("cpu_weight")));
  if (def.cpu_quota && !(std::isfinite(*def.cpu_quota) && *def.cpu_quota >= 0.01))
    add_error(status, place.member("cpu_quota").error("must be at least 0.01 CPUs"));
  if (def.memory_max) add_error(status, check_positive(def.memory_max->bytes, place.member("memory_max")));
  if (def.memory_high) add_error(status, check_positive(def.memory_high->bytes, place.member("memory_high")));
  if (def.pids_max) add_error(status, check_positive(*def.pids_max, place.member("pids_max")));
  return status;
}

}  // namespace ktstr::engine
