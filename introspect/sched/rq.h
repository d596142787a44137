// struct rq (kernel/sched/sched.h): one CPU's run queue, and whether its schedstat counters count.
#pragma once

#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/reader.h"
#include "introspect/sched/cpu_snapshot.h"

namespace ktstr::introspect {

/// struct static_key_false (include/linux/jump_label.h): on when the count is not 0.
struct StaticKeyLayout : LayoutOf<"static_key_false"> {
  Field<std::int32_t> enabled{*this, {"key.enabled.counter"}};
};

/// With CONFIG_SCHEDSTATS, most counters do not advance unless this static key is on (kernel/sched/stats.h,
/// schedstat_inc). It is off after boot without `schedstats=enable` and follows the sysctl
/// kernel.sched_schedstats.
class SchedstatsSwitch {
 public:
  /// Without CONFIG_SCHEDSTATS the switch is off for good; reason() says so.
  [[nodiscard]] static SchedstatsSwitch find(const Kernel& kernel);

  /// Reads the switch. One that can't be read counts as off: a counter that may not advance is not shown.
  [[nodiscard]] bool is_on(const Kernel& kernel) const;

  /// Why the counters are absent while it is off.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  StaticKeyLayout layout_;
  KernelVirt key_;
  std::string reason_;
};

struct RqLayout : Reader<CpuSnapshot, "rq"> {
  OptionalField<KernelVirt> sd{*this, {"sd"}};  ///< the lowest sched_domain

  /// Groups of members that this kernel lacks. Precondition: resolved.
  [[nodiscard]] std::vector<MissingCapability> missing() const;

  /// What was captured with this layout. `counting`: whether the schedstat counters other than run_delay and
  /// pcount count (SchedstatsSwitch).
  void fill_cpu(const StructBytes& bytes, bool counting, CpuSnapshot& cpu) const;
};

}  // namespace ktstr::introspect
