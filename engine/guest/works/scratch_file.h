// A file that only its opener has, for the types that write.
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// A nameless file in $TMPDIR or /tmp whose writes return when the data is stored (O_DSYNC).
[[nodiscard]] inline Result<Fd> open_scratch_file() {
  const char* directory = ::getenv("TMPDIR");
  std::string path = std::string(directory && *directory ? directory : "/tmp") + "/ktstr-io-XXXXXX";
  Fd file(::mkostemp(path.data(), O_CLOEXEC | O_DSYNC));
  if (!file) return system_error("make " + path);
  ::unlink(path.c_str());
  return file;
}

/// Overwrites the file's beginning.
[[nodiscard]] inline Status write_at_start(int file, const std::vector<char>& data) {
  if (::pwrite(file, data.data(), data.size(), 0) < 0 && errno != EINTR)
    return system_error("write to a scratch file");
  return ok();
}

}  // namespace ktstr::engine::guest
