// Files of /proc and /sys: reading them whole, and writes that the kernel may answer late or refuse for a
// while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

struct FileText {
  std::string text;
  bool truncated = false;  ///< the file holds more than the limit
};

/// At most `limit` bytes of a file from `offset` on; none behind its end. Errors: kNotFound, kIo.
[[nodiscard]] Result<FileText> read_file(const std::string& path, std::size_t limit,
                                         std::uint64_t offset = 0);

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
