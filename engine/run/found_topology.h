// The topology that a guest's kernel found, held against the one that was asked for.
#pragma once

#include "engine/base/result.h"
#include "engine/protocol/machine_messages.h"
#include "vmm/topology.h"

namespace ktstr::engine {

/// Errors (kUnavailable): what differs, CPUs first. What the kernel does not show is not compared.
[[nodiscard]] Status check_found_topology(const vmm::Topology& asked, const protocol::FoundTopology& found);

}  // namespace ktstr::engine
