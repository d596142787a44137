// ScxEventCounters: what sched_ext itself counted on one CPU since its scheduler was loaded.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// An event that has a name and a sentence of its own in all outputs. Counters are whatever members the
/// kernel's struct scx_event_stats has; one that is not listed here is shown all the same, under the kernel's
/// name among the others.
struct KnownEvent {
  std::string_view name;  ///< the kernel's, in small letters and without SCX_EV_
  std::string_view total;
  std::string_view doc;
};
inline constexpr auto kKnownEvents = std::to_array<KnownEvent>({
    {"select_cpu_fallback", "total_fallback",
     "wakeups for which ops.select_cpu() named an unusable CPU, events"},
    {"dispatch_local_dsq_offline", "total_dispatch_offline",
     "dispatches to the local DSQ of an offline CPU, events"},
    {"dispatch_keep_last", "total_dispatch_keep_last",
     "times the previous task ran on because nothing else was dispatched, events"},
    {"enq_skip_exiting", "total_enq_skip_exiting", "exiting tasks enqueued without ops.enqueue(), events"},
    {"enq_skip_migration_disabled", "total_enq_skip_migration_disabled",
     "tasks with migration disabled that were enqueued without ops.enqueue(), events"},
    {"reenq_immed", "total_reenq_immed",
     "tasks enqueued again because their CPU could not run them at once, events"},
    {"reenq_local_repeat", "total_reenq_local_repeat",
     "repeated re-enqueues from a local DSQ (REENQ_LOCAL_REPEAT, later REENQ_REPEAT), events"},
    {"refill_slice_dfl", "total_refill_slice_dfl", "slices refilled with the default slice, events"},
    {"bypass_duration", "total_bypass_duration", "time in bypass mode, ns"},
    {"bypass_dispatch", "total_bypass_dispatch", "tasks dispatched in bypass mode, events"},
    {"bypass_activate", "total_bypass_activate", "times bypass mode was entered, events"},
    {"insert_not_owned", "total_insert_not_owned",
     "attempts to insert a task that the scheduler does not own into a DSQ, events"},
    {"sub_bypass_dispatch", "total_sub_bypass_dispatch",
     "tasks of bypassing descendant schedulers that ran from the bypass DSQ, events"},
});
using KnownEventIndices = std::make_index_sequence<kKnownEvents.size()>;

/// One counter of a kernel: an index of kKnownEvents, or beyond them one of the others.
struct EventCounter {
  std::size_t index = 0;

  constexpr explicit EventCounter(std::size_t counter) : index(counter) {}
  /// A known one by its name; another does not compile.
  consteval EventCounter(const char* name) {  // NOLINT(google-explicit-constructor): counters are named
    while (kKnownEvents.at(index).name != name) ++index;
  }
};

/// The number that a record has for one known event: absent where the kernel does not count it.
template <std::size_t Index>
struct EventNumber {
  std::optional<std::int64_t> number;
};

/// One CPU's struct scx_event_stats (kernel/sched/ext_internal.h), cumulative. The kernel's type is s64.
/// Members of the kernel's struct that are no known events are in `other`, in the order of the names that the
/// reader gives once per run (EventLayout::other_names()).
template <class Indices>
struct EventCountersOf;

namespace detail {
/// Where a record derived from all EventNumbers has each of them.
template <class Record, std::size_t... Index>
consteval auto event_members(std::index_sequence<Index...>) {
  return std::array<std::optional<std::int64_t> Record::*, sizeof...(Index)>{&EventNumber<Index>::number...};
}
template <class Record>
inline constexpr auto kEventMembers = event_members<Record>(KnownEventIndices());

template <class Record, std::size_t Index>
consteval auto event_field(std::string_view name) {
  std::optional<std::int64_t> Record::*member = &EventNumber<Index>::number;
  return ktstr::detail::field_of(name, member, kKnownEvents[Index].doc);
}
}  // namespace detail

template <std::size_t... Index>
struct EventCountersOf<std::index_sequence<Index...>> : EventNumber<Index>... {
  std::vector<std::int64_t> other;

  static consteval auto describe() {
    using T = EventCountersOf;
    return record("ScxEventCounters", "sched_ext events of one CPU since its scheduler was loaded",
                  detail::event_field<T, Index>(kKnownEvents[Index].name)...,
                  field<&T::other>("further counters, in the order of other_event_names"));
  }
};
using ScxEventCounters = EventCountersOf<KnownEventIndices>;

/// The number of a known event in any record that has them all.
template <class Record>
[[nodiscard]] auto& number_of(Record&& record, EventCounter counter) {
  return record.*detail::kEventMembers<std::remove_cvref_t<Record>>[counter.index];
}

}  // namespace ktstr::introspect
