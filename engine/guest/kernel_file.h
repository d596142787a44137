// Files of /proc and /sys: what their texts hold, and writes that the kernel may answer late or refuse for a
// while.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/io.h"

namespace ktstr::engine::guest {

/// The numbers in a text that has blanks or line ends between them: of processes or threads.
[[nodiscard]] std::vector<pid_t> pids_in(std::string_view text);

/// The number that begins the line "KEY NUMBER ..." or "KEY: NUMBER ..."; absent where there is none.
[[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key);

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
