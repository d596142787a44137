// The kernel's optional statistics: switched on for what looks at this guest, and read back.
#pragma once

#include "engine/base/result.h"
#include "engine/protocol/statistics_messages.h"

namespace ktstr::engine::guest {

/// Errors: kIo, a switch that is there and can't be written or read.
[[nodiscard]] Result<protocol::StatisticsSwitches> set_statistics(const protocol::SetStatistics& request);

}  // namespace ktstr::engine::guest
