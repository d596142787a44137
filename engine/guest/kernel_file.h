// Files of /proc and /sys: writes that the kernel may answer late or refuse for a while.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/io.h"

namespace ktstr::engine::guest {

/// Writes each of `values` to a control file with a write(2) of its own. EBUSY is tried again 3 times, 100 ms
/// apart; ESRCH (the task to move has ended) counts as success. Errors: the first value that is refused, and
/// nothing after it is written (kNotFound, kIo); kTimeout when the kernel does not answer one for 2 s, though
/// it may still carry it out.
[[nodiscard]] Status write_control(const std::string& path, std::vector<std::string> values);
[[nodiscard]] Status write_control(const std::string& path, std::string_view value);

/// Whether a write that the kernel did not answer in time may go on in a thread of this process. Otherwise
/// write_control() leaves no thread behind.
[[nodiscard]] bool has_stuck_writers();

}  // namespace ktstr::engine::guest
