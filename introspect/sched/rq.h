// struct rq (kernel/sched/sched.h): one CPU's run queue.
#pragma once

#include <optional>
#include <vector>

#include "introspect/layout.h"
#include "introspect/sched/missing.h"
#include "introspect/sched/rq_snapshot.h"

namespace ktstr::introspect {

struct RqLayout : StructLayout {
  RqLayout() : StructLayout({"rq"}) {}
  Field<std::uint32_t> nr_running{*this, {"nr_running"}};
  Field<std::uint64_t> clock{*this, {"clock"}};
  OptionalField<KernelVirt> sd{*this, {"sd"}};

  // CONFIG_SCHED_CLASS_EXT
  OptionalField<std::uint32_t> scx_nr_running{*this, {"scx.nr_running"}};
  OptionalField<std::uint32_t> local_dsq_nr{*this, {"scx.local_dsq.nr"}};
  OptionalField<std::uint32_t> scx_flags{*this, {"scx.flags"}};

  // CONFIG_SCHEDSTATS
  OptionalField<std::uint64_t> run_delay{*this, {"rq_sched_info.run_delay"}};
  OptionalField<std::uint64_t> pcount{*this, {"rq_sched_info.pcount"}};
  OptionalField<std::uint32_t> yld_count{*this, {"yld_count"}};
  OptionalField<std::uint32_t> sched_count{*this, {"sched_count"}};
  OptionalField<std::uint32_t> sched_goidle{*this, {"sched_goidle"}};
  OptionalField<std::uint32_t> ttwu_count{*this, {"ttwu_count"}};
  OptionalField<std::uint32_t> ttwu_local{*this, {"ttwu_local"}};

  /// Groups of members that this kernel lacks. Precondition: resolved.
  [[nodiscard]] std::vector<MissingCapability> missing() const;
};

/// Reads the run queue at `rq` with one memory read. `scratch` keeps the buffer between calls. `counting`:
/// whether the schedstat counters other than run_delay and pcount count (SchedstatsSwitch). nullopt when the
/// memory can't be read. Precondition: layout resolved.
template <KernelReader Memory>
[[nodiscard]] std::optional<RqSnapshot> read_rq(const Memory& memory, const RqLayout& layout, KernelVirt rq,
                                                bool counting, StructBytes& scratch);

/// The same out of bytes that were captured with `layout`.
[[nodiscard]] RqSnapshot rq_snapshot(const RqLayout& layout, const StructBytes& bytes, bool counting);

template <KernelReader Memory>
std::optional<RqSnapshot> read_rq(const Memory& memory, const RqLayout& layout, KernelVirt rq, bool counting,
                                  StructBytes& scratch) {
  if (!scratch.capture(memory, layout, rq)) return std::nullopt;
  return rq_snapshot(layout, scratch, counting);
}

}  // namespace ktstr::introspect
