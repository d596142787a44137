// node_data[]: each NUMA node's zones and their allocation counters (include/linux/mmzone.h, mm/vmstat.c).
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "introspect/kernel.h"
#include "introspect/layout.h"
#include "introspect/machine/readings.h"
#include "introspect/machine/stats.h"

namespace ktstr::introspect {

struct PglistDataLayout : LayoutOf<"pglist_data"> {
  Embedded node_zones{*this, {"node_zones"}};
  Field<std::int32_t> node_id{*this, {"node_id"}};
};

struct ZoneLayout : LayoutOf<"zone"> {
  Field<KernelVirt> per_cpu_zonestats{*this, {"per_cpu_zonestats"}};
  Field<std::uint64_t> present_pages{*this, {"present_pages"}};
  Embedded vm_numa_event{*this, {"vm_numa_event"}};
};

struct PerCpuZonestatLayout : LayoutOf<"per_cpu_zonestat"> {
  Embedded vm_numa_event{*this, {"vm_numa_event"}};
};

/// Reads NUMA counters. Const use is thread-safe.
class NumaReader {
 public:
  /// Error: which symbol, member or enumerator this kernel lacks (CONFIG_NUMA).
  [[nodiscard]] static Result<NumaReader> create(const Kernel& kernel);

  /// A row per online node, ascending. Each CPU counts for itself and the kernel adds that to the zone now
  /// and then: the row is the sum of both, so it is exact when the guest is frozen. In a running guest a
  /// count on its way from CPU to zone may be missed or seen twice.
  [[nodiscard]] Readings<PerNodeNumaStats> read(const Kernel& kernel) const;

 private:
  using Counts = std::array<std::uint64_t, 6>;

  [[nodiscard]] Status find_events(const Btf& btf);
  [[nodiscard]] Status find_nodes(const Kernel& kernel);
  [[nodiscard]] Result<std::vector<std::uint32_t>> online_nodes(const Kernel& kernel) const;
  [[nodiscard]] Result<PerNodeNumaStats> read_node(const Kernel& kernel, std::uint32_t node) const;
  [[nodiscard]] Status add_zone(const Kernel& kernel, KernelVirt zone, Counts& sum) const;
  [[nodiscard]] bool add_events(const Kernel& kernel, KernelVirt events, Counts& sum) const;

  PglistDataLayout node_;
  ZoneLayout zone_;
  PerCpuZonestatLayout zonestat_;
  std::array<std::size_t, 6> event_indices_{};
  std::size_t zones_ = 0;       ///< elements of node_zones[]
  std::size_t mask_bytes_ = 0;  ///< of a nodemask_t
  KernelVirt node_data_;        ///< struct pglist_data* [MAX_NUMNODES]
  KernelVirt online_mask_;      ///< node_states[N_ONLINE]
};

}  // namespace ktstr::introspect
