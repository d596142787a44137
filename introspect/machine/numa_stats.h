// PerNodeNumaStats: where one NUMA node's pages were wanted and where they came from.
#pragma once

#include <cstdint>

#include "engine/base/describe.h"

namespace ktstr::introspect {

/// Cumulative since boot (Documentation/admin-guide/numastat.rst), in pages: what
/// /sys/devices/system/node/nodeN/numastat says.
struct PerNodeNumaStats {
  std::uint32_t node = 0;
  std::uint64_t numa_hit = 0;
  std::uint64_t numa_miss = 0;
  std::uint64_t numa_foreign = 0;
  std::uint64_t numa_interleave_hit = 0;
  std::uint64_t numa_local = 0;
  std::uint64_t numa_other = 0;

  friend bool operator==(const PerNodeNumaStats&, const PerNodeNumaStats&) = default;

  static consteval auto describe() {
    using T = PerNodeNumaStats;
    return record("page allocations of one NUMA node since boot", field<&T::node>("node"),
                  field<&T::numa_hit>("pages allocated here as wanted"),
                  field<&T::numa_miss>("pages allocated here although another node was preferred"),
                  field<&T::numa_foreign>("pages wanted here but allocated on another node"),
                  field<&T::numa_interleave_hit>("interleaved pages allocated here as wanted"),
                  field<&T::numa_local>("pages allocated here by a process running here"),
                  field<&T::numa_other>("pages allocated here by a process running on another node"));
  }
};

}  // namespace ktstr::introspect
