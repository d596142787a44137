// A file that only its opener has, for the types that write.
#pragma once

#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// A nameless file in $TMPDIR or /tmp whose writes return when the data is stored (O_DSYNC).
[[nodiscard]] Result<Fd> open_scratch_file();

/// Overwrites the file's beginning.
[[nodiscard]] Status write_at_start(int file, const std::vector<char>& data);

}  // namespace ktstr::engine::guest
