// What a forked guest does first: random numbers and a clock of its own.
#pragma once

#include "engine/base/result.h"
#include "engine/protocol/refresh_message.h"

namespace ktstr::engine::guest {

/// Mixes the entropy into the kernel's generator, has it re-seed, so that the next random number on any CPU
/// depends on it, then sets CLOCK_REALTIME. Errors: kInvalidArgument for too little or too much entropy, or a
/// time that no clock can have; kUnavailable unless this is PID 1; kIo, what the kernel refuses.
[[nodiscard]] Status refresh(const protocol::Refresh& request);

}  // namespace ktstr::engine::guest
