// What the guest's kernel made of its machine, from /sys/devices/system.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/protocol/machine_messages.h"

namespace ktstr::engine::guest {

/// `system`: where the directories cpu and node lie. Errors: the masks of CPUs can't be read. Source:
/// Documentation/ABI/testing/sysfs-devices-system-cpu, .../stable/sysfs-devices-node.
[[nodiscard]] Result<protocol::FoundTopology> find_topology(const std::string& system);

}  // namespace ktstr::engine::guest
