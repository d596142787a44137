#include "introspect/scx/watchdog.h"

#include <algorithm>
#include <span>

#include "introspect/sched/events.h"
#include "introspect/translator.h"

namespace ktstr::introspect {
namespace {

Status write(const Kernel& kernel, WritableMemory& memory, KernelVirt place, std::uint64_t value) {
  const auto mapping = kernel.translator().translate(place);
  if (!mapping || !memory.write(mapping->address, std::as_bytes(std::span(&value, 1))))
    return Error{ErrorCode::kOutOfRange, "the watchdog's memory can't be written"};
  return ok();
}

Result<std::uint64_t> read(const Kernel& kernel, KernelVirt place) {
  const auto value = kernel.read<std::uint64_t>(place);
  if (!value) return Error{ErrorCode::kOutOfRange, "the watchdog's memory can't be read"};
  return *value;
}

}  // namespace

Result<ScxWatchdog> ScxWatchdog::create(const Kernel& kernel) {
  ScxWatchdog watchdog;
  KTSTR_TRY(watchdog.sched_.resolve(kernel.btf()));
  watchdog.root_ = KTSTR_TRY(kernel.address("scx_root"));
  watchdog.jiffies_ = KTSTR_TRY(kernel.address("jiffies_64"));
  watchdog.timeout_ = kernel.known_address("scx_watchdog_timeout");
  watchdog.interval_ = kernel.known_address("scx_watchdog_interval");
  watchdog.timestamp_ = kernel.known_address("scx_watchdog_timestamp");
  if (watchdog.sched_.place<&ScxSchedState::watchdog_timeout>().present() || watchdog.timeout_)
    return watchdog;
  return Error{ErrorCode::kNotFound, "the kernel has no watchdog timeout that is known"};
}

Result<KernelVirt> ScxWatchdog::timeout_place(const Kernel& kernel) const {
  const KernelVirt sched = KTSTR_TRY(read_scx_root(kernel, root_));
  if (sched.is_null()) return Error{ErrorCode::kUnavailable, "no scheduler is loaded"};
  const auto& member = sched_.place<&ScxSchedState::watchdog_timeout>();
  return member.present() ? member.address(sched) : *timeout_;
}

/// In this order: the tick must not find the last look too long ago for the new timeout before the next one
/// (scx_tick), so that the last look is moved to when the next one is due.
Result<WatchdogChange> ScxWatchdog::set(const Kernel& kernel, WritableMemory& memory,
                                        std::uint64_t jiffies) const {
  const KernelVirt place = KTSTR_TRY(timeout_place(kernel));
  WatchdogChange change{.before = KTSTR_TRY(read(kernel, place))};
  if (timestamp_ && jiffies < change.before)
    KTSTR_TRY(write(kernel, memory, *timestamp_, KTSTR_TRY(read(kernel, jiffies_)) + change.before / 2));
  if (interval_) KTSTR_TRY(write(kernel, memory, *interval_, std::max<std::uint64_t>(1, jiffies / 2)));
  KTSTR_TRY(write(kernel, memory, place, jiffies));
  if (KTSTR_TRY(timeout_place(kernel)) != place)
    return Error{ErrorCode::kUnavailable, "the scheduler went while its watchdog was set"};
  change.after = KTSTR_TRY(read(kernel, place));
  return change;
}

}  // namespace ktstr::introspect
