// A saved image of a guest that scx_ktstr runs in.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "engine/base/result.h"

namespace ktstr::introspect::test {

/// Boots `kernel` (the beginning of a cached one's release; the default one without) with scx_ktstr attached,
/// its maps filled and workers under it, and saves the stopped guest's memory. First ask
/// missing_for_scheduler().
[[nodiscard]] Status save_scheduler_image(const std::filesystem::path& path,
                                          const std::optional<std::string>& kernel);

}  // namespace ktstr::introspect::test
