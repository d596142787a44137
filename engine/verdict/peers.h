// Peers: workers of a group that can be compared with one another.
#pragma once

#include <span>
#include <vector>

#include "engine/protocol/messages.h"

namespace ktstr::engine {

/// Workers of one role that asked for the same CPUs all their life: a fair scheduler gives them the same CPU
/// time. In order of spawning; the sets in order of their first worker.
[[nodiscard]] std::vector<std::vector<const protocol::WorkerReport*>> peers_among(
    std::span<const protocol::WorkerReport* const> reports);

}  // namespace ktstr::engine
