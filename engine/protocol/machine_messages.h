// What the runner asks of the guest agent about the machine it finds itself on, and what it answers.
#pragma once

#include <optional>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

struct FoundTopology;

/// Asks what the guest's kernel made of its machine. Answered by FoundTopology.
struct FindTopology {
  using Answer = FoundTopology;

  static consteval auto describe() {
    return record<FindTopology>("find_topology", "asks what the guest's kernel made of its machine");
  }
};

/// CPUs, caches and nodes as /sys/devices/system shows them. What the kernel does not show is absent.
struct FoundTopology {
  CpuSet possible;
  CpuSet online;
  std::optional<std::vector<CpuSet>> llcs;
  std::optional<std::vector<CpuSet>> nodes;

  static consteval auto describe() {
    using T = FoundTopology;
    return record(
        "found_topology", "CPUs, caches and nodes as the guest's kernel shows them",
        field<&T::possible>("CPUs that could be online"), field<&T::online>("CPUs that are online"),
        field<&T::llcs>("online CPUs that share a last-level cache; absent where the kernel shows no caches"),
        field<&T::nodes>("online CPUs of each NUMA node, empty for one of memory only; absent where the "
                         "kernel shows no nodes"));
  }
};

}  // namespace ktstr::engine::protocol
