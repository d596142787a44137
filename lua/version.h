// The version of this build.
#pragma once

#include <string>

#include "engine/report/provenance.h"

namespace ktstr::lua {

/// Its version, and the commit that it was built from.
[[nodiscard]] engine::ToolReport this_build();

/// "ktstr 0.1.0 (0123456789ab)"; without a commit, "ktstr 0.1.0".
[[nodiscard]] std::string version_text();

}  // namespace ktstr::lua
