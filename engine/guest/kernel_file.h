// Files of /proc and /sys: reading them whole, and writes that the kernel may answer late or refuse for a
// while.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

struct FileText {
  std::string text;
  bool truncated = false;  ///< the file holds more than the limit
};

/// At most `limit` bytes of a file. Errors: kNotFound, kIo.
[[nodiscard]] Result<FileText> read_file(const std::string& path, std::size_t limit);

/// Writes `value` to a control file in one write(2). EBUSY is tried again 3 times, 100 ms apart; ESRCH (the
/// task to move has ended) counts as success. Errors: kTimeout after 2 s, though the kernel may still carry
/// the write out; kNotFound; kIo.
[[nodiscard]] Status write_control(const std::string& path, std::string_view value);

}  // namespace ktstr::engine::guest
