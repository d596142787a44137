// Guest: what running a scenario needs of a booted guest. A test's fake has the same face.
#pragma once

#include "engine/agent/agent.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::engine {

/// What ended a wait.
enum class WaitEnd {
  kMoment,        ///< its time
  kSchedulerEnd,  ///< a scheduler ended that nobody had asked to
};

/// Errors of ask() besides what the agent refuses: kCancelled when the user stopped the run or the guest
/// ended; kGuestFailed, kTimeout or kCorrupt when the agent is gone, silent or talks nonsense.
class Guest : public Agent {
 public:
  /// Time since the machine's start.
  [[nodiscard]] virtual Duration now() const = 0;

  /// The same in ns, as reports have it.
  [[nodiscard]] std::uint64_t now_ns() const { return static_cast<std::uint64_t>(now().ns); }
  /// Returns at `moment` (a time of now()), or as soon as a scheduler's end was seen from outside. Error:
  /// kCancelled as soon as the user stops the run or the guest ends.
  [[nodiscard]] virtual Result<WaitEnd> wait_until(Duration moment) = 0;
};

}  // namespace ktstr::engine
