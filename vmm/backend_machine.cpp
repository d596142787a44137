#include "vmm/backend_machine.h"

#include <array>

#include "vmm/watch_hits.h"

namespace ktstr::vmm {
namespace {

constexpr Duration kStopDeadline = std::chrono::seconds(10);

}  // namespace

Result<FrozenState> BackendMachine::freeze(Duration deadline) {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ == 0) frozen_ = KTSTR_TRY(stop(deadline_after(deadline)), "freeze");
  ++freeze_depth_;
  return frozen_;
}

Status BackendMachine::thaw() {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ == 0) return invalid_argument("thaw: the machine is not frozen");
  if (--freeze_depth_ == 0) KTSTR_TRY(go_on(), "thaw");
  return ok();
}

Status BackendMachine::set_watchpoints(std::span<const Watchpoint> watchpoints) {
  KTSTR_TRY(check_watchpoints(watchpoints));
  const auto frozen = KTSTR_TRY(freeze(kStopDeadline));
  auto set = [&] {
    const std::lock_guard lock(freeze_mutex_);
    return watch(watchpoints, frozen);
  }();
  KTSTR_TRY(thaw());
  return set;
}

Result<WatchHit> BackendMachine::wait_watch_hit(Duration timeout) {
  const auto deadline = deadline_after(timeout);
  const auto in_lock = [&](auto ask) {
    const std::lock_guard lock(freeze_mutex_);
    return ask();
  };
  while (true) {
    if (KTSTR_TRY(in_lock([&] { return has_hit(); }))) {
      KTSTR_TRY(freeze(kStopDeadline));
      if (auto hit = in_lock([&] { return take_hit(); })) return std::move(*hit);
      KTSTR_TRY(thaw());
    }
    std::array<pollfd, 2> ready{{{hit_fd(), POLLIN, 0}, {end_fd(), POLLIN, 0}}};
    if (poll_until(ready, deadline) <= 0)
      return Error{ErrorCode::kTimeout, "no watchpoint was hit within " + format_duration(timeout)};
    if (ready[1].revents != 0) return Error{ErrorCode::kCancelled, "watchpoints: the machine has ended"};
  }
}

Result<std::unique_ptr<MachineSnapshot>> BackendMachine::snapshot(Duration deadline) {
  const std::lock_guard lock(snapshot_mutex_);
  const auto until = deadline_after(deadline);
  const auto frozen = KTSTR_TRY(freeze(deadline));
  auto saved = save(frozen, until);
  KTSTR_TRY(thaw());
  return KTSTR_TRY(std::move(saved), "snapshot");
}

Result<MachineEvent> BackendMachine::wait_event(Duration timeout) {
  if (!wait_end(deadline_after(timeout)))
    return Error{ErrorCode::kTimeout, "no event within " + format_duration(timeout)};
  const std::lock_guard lock(event_mutex_);
  if (!event_) event_ = conclude();
  return *event_;
}

}  // namespace ktstr::vmm
