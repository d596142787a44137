// What the runner asks of the guest agent about the machine it finds itself on, and what it answers.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

/// Asks what the guest's kernel made of its machine. Answered by FoundTopology.
struct FindTopology {};

/// CPUs, caches and nodes as /sys/devices/system shows them. What the kernel does not show is absent.
struct FoundTopology {
  CpuSet possible;
  CpuSet online;
  std::optional<std::vector<CpuSet>> llcs;   ///< online CPUs that share a last-level cache, by lowest CPU
  std::optional<std::vector<CpuSet>> nodes;  ///< online CPUs of each NUMA node, in order; empty: memory only
};

}  // namespace ktstr::engine::protocol

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::protocol::FindTopology> = record<engine::protocol::FindTopology>("find_topology", "asks what the guest's kernel made of its machine");
template <> inline constexpr auto describe<engine::protocol::FoundTopology> = record<engine::protocol::FoundTopology>("found_topology", "CPUs, caches and nodes as the guest's kernel shows them",
    field("possible", &engine::protocol::FoundTopology::possible, "CPUs that could be online"),
    field("online", &engine::protocol::FoundTopology::online, "CPUs that are online"),
    field("llcs", &engine::protocol::FoundTopology::llcs, "online CPUs that share a last-level cache; absent where the kernel shows no caches"),
    field("nodes", &engine::protocol::FoundTopology::nodes, "online CPUs of each NUMA node, empty for one of memory only; absent where the kernel shows no nodes"));
// clang-format on
}  // namespace ktstr
