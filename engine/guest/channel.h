// The agent's end of the channel to the runner.
#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr::engine::guest {

/// Opens the guest's channel device (vmm/channel_device.h), ready for frames: non-blocking, raw, the runner
/// connected. Waits for the device and the runner. Errors: kTimeout naming what is not there; kIo.
[[nodiscard]] Result<Fd> open_channel_device(Duration deadline);

/// Makes an fd that the agent inherited ready for frames. Errors: kInvalidArgument when it is no open fd.
[[nodiscard]] Result<Fd> adopt_channel(int fd);

/// Waits until what was written has left the guest: whoever ends the machine next would lose it.
void drain_channel(int fd);

}  // namespace ktstr::engine::guest
