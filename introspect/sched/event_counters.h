// ScxEventCounters: what sched_ext itself counted on one CPU since its scheduler was loaded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// One CPU's struct scx_event_stats (kernel/sched/ext_internal.h), cumulative. The kernel's type is s64.
/// A counter that this kernel does not have is absent. Members of the kernel's struct without a field here
/// are in `other`, in the order of the names that the reader gives once per run (EventLayout::other_names()).
struct ScxEventCounters {
  std::optional<std::int64_t> select_cpu_fallback;
  std::optional<std::int64_t> dispatch_local_dsq_offline;
  std::optional<std::int64_t> dispatch_keep_last;
  std::optional<std::int64_t> enq_skip_exiting;
  std::optional<std::int64_t> enq_skip_migration_disabled;
  std::optional<std::int64_t> reenq_immed;
  std::optional<std::int64_t> reenq_local_repeat;
  std::optional<std::int64_t> refill_slice_dfl;
  std::optional<std::int64_t> bypass_duration;
  std::optional<std::int64_t> bypass_dispatch;
  std::optional<std::int64_t> bypass_activate;
  std::optional<std::int64_t> insert_not_owned;
  std::optional<std::int64_t> sub_bypass_dispatch;
  std::vector<std::int64_t> other;

  static consteval auto describe() {
    using T = ScxEventCounters;
    return record(
        "sched_ext events of one CPU since its scheduler was loaded",
        field<&T::select_cpu_fallback>("wakeups for which ops.select_cpu() named an unusable CPU, events"),
        field<&T::dispatch_local_dsq_offline>("dispatches to the local DSQ of an offline CPU, events"),
        field<&T::dispatch_keep_last>(
            "times the previous task ran on because nothing else was dispatched, events"),
        field<&T::enq_skip_exiting>("exiting tasks enqueued without ops.enqueue(), events"),
        field<&T::enq_skip_migration_disabled>(
            "tasks with migration disabled that were enqueued without ops.enqueue(), events"),
        field<&T::reenq_immed>("tasks enqueued again because their CPU could not run them at once, events"),
        field<&T::reenq_local_repeat>(
            "repeated re-enqueues from a local DSQ (REENQ_LOCAL_REPEAT, later REENQ_REPEAT), events"),
        field<&T::refill_slice_dfl>("slices refilled with the default slice, events"),
        field<&T::bypass_duration>("time in bypass mode, ns"),
        field<&T::bypass_dispatch>("tasks dispatched in bypass mode, events"),
        field<&T::bypass_activate>("times bypass mode was entered, events"),
        field<&T::insert_not_owned>(
            "attempts to insert a task that the scheduler does not own into a DSQ, events"),
        field<&T::sub_bypass_dispatch>(
            "tasks of bypassing descendant schedulers that ran from the bypass DSQ, events"),
        field<&T::other>("further counters, in the order of other_event_names"));
  }
};

}  // namespace ktstr::introspect
