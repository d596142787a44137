#include "introspect/ctprof/compare/growth.h"

#include "introspect/monitor/counter.h"

namespace ktstr::introspect::ctprof {
namespace {

constexpr std::uint64_t kNsPerTick = 10'000'000;  // USER_HZ is 100

}  // namespace

GrowthSince::GrowthSince(const Snapshot& before) {
  for (const auto& thread : before.threads)
    if (thread.start_time_clock_ticks)
      threads_.emplace(Identity(thread.tid, *thread.start_time_clock_ticks), &thread);
  if (before.captured_at_boot_ns) captured_at_ticks_ = *before.captured_at_boot_ns / kNsPerTick;
}

/// What to subtract: 0 for a thread that began since; nothing when it is not known.
std::optional<std::uint64_t> GrowthSince::value_before(const Metric& metric,
                                                       const ThreadRecord& thread) const {
  if (!thread.start_time_clock_ticks) return std::nullopt;
  const auto found = threads_.find({thread.tid, *thread.start_time_clock_ticks});
  if (found != threads_.end()) return summable_value(metric, *found->second);
  const bool began_since = captured_at_ticks_ && *thread.start_time_clock_ticks >= *captured_at_ticks_;
  return began_since ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::optional<Growth> GrowthSince::of(const Metric& metric, Threads after) const {
  std::optional<Growth> growth;
  for (const auto* thread : after) {
    const auto now = summable_value(metric, *thread);
    const auto then = value_before(metric, *thread);
    if (!now || !then) continue;
    if (!growth) growth.emplace();
    if (*now < *then) {
      ++growth->fallen;
      continue;
    }
    ++growth->threads;
    growth->from = saturating_add(growth->from, *then);
    growth->value = saturating_add(growth->value, *now - *then);
  }
  return growth;
}

}  // namespace ktstr::introspect::ctprof
