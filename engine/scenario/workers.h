// How many workers a group makes, and how much memory a scenario's guest gets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/scenario/scenario.h"

namespace ktstr::engine {

/// Workers of `group` in a cgroup that may use `cpus` CPUs: `workers`, or ceil(cpus * workers_pct) rounded up
/// to whole groups of the work type. Precondition: one of the two is set.
[[nodiscard]] std::uint32_t worker_count(const WorkGroup& group, std::size_t cpus);

/// The least memory that boots and runs: 64 MB per CPU, at least 256 MB.
[[nodiscard]] ByteSize memory_floor(const vmm::Topology& topology);

/// The guest's memory: as stated but not below the floor, else 64 MB per CPU, at least 512 MB. Where nodes
/// state theirs, that, and for the others 64 MB per CPU and at least 128 MB per node.
[[nodiscard]] ByteSize guest_memory(const Scenario& scenario);

}  // namespace ktstr::engine
