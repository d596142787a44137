// Guest: what running a scenario needs of a booted guest. A test's fake has the same face.
#pragma once

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/protocol/messages.h"

namespace ktstr::engine {

class Guest {
 public:
  virtual ~Guest() = default;

  /// Sends the request and waits for its answer. A Failed answer is an error (kInvalidArgument) with the
  /// agent's words. Errors besides: kCancelled when the user stopped the run, kGuestFailed, kEmulatorFailed
  /// or kTimeout when the guest is gone or does not answer.
  [[nodiscard]] virtual Result<protocol::Reply> ask(const protocol::Request& request) = 0;

  /// Time since the machine's start.
  [[nodiscard]] virtual Duration now() const = 0;

  /// Returns at `moment` (a time of now()). Errors: kCancelled, kGuestFailed, kEmulatorFailed as soon as that
  /// happens.
  [[nodiscard]] virtual Status wait_until(Duration moment) = 0;
};

}  // namespace ktstr::engine
