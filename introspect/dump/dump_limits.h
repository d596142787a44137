// How much of a dump file is read.
#pragma once

#include "engine/base/value.h"

namespace ktstr::introspect {

/// A dump of more values is not read: they would take some 8 GB.
inline constexpr JsonLimits kDumpLimits{.values = 100'000'000};

}  // namespace ktstr::introspect
