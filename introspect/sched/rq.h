// struct rq (kernel/sched/sched.h): one CPU's run queue.
#pragma once

#include <vector>

#include "introspect/reader.h"
#include "introspect/sched/cpu_snapshot.h"
#include "introspect/sched/missing.h"

namespace ktstr::introspect {

struct RqLayout : Reader<CpuSnapshot, "rq"> {
  OptionalField<KernelVirt> sd{*this, {"sd"}};  ///< the lowest sched_domain

  /// Groups of members that this kernel lacks. Precondition: resolved.
  [[nodiscard]] std::vector<MissingCapability> missing() const;

  /// What was captured with this layout. `counting`: whether the schedstat counters other than run_delay and
  /// pcount count (SchedstatsSwitch).
  void fill_cpu(const StructBytes& bytes, bool counting, CpuSnapshot& cpu) const;
};

}  // namespace ktstr::introspect
