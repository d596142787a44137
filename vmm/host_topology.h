// HostTopology: the CPUs of this host that a process may use, and what they share.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// Core and LLC are numbered by the first CPU that belongs to them, whether it may be used or not.
struct HostCpu {
  std::size_t cpu = 0;
  std::size_t core = 0;  ///< SMT siblings have the same
  std::size_t llc = 0;
  std::size_t node = 0;  ///< NUMA node
  friend bool operator==(const HostCpu&, const HostCpu&) = default;
};

struct HostTopology {
  std::vector<HostCpu> cpus;  ///< ascending
  std::size_t nodes = 1;      ///< NUMA nodes of the host, those without usable CPUs included
};

/// The CPUs that the calling thread may run on (sched_getaffinity()). Errors: kIo.
[[nodiscard]] Result<CpuSet> usable_cpus();

/// What `sysfs` ("/sys") tells of the CPUs in `usable` that are online (Documentation/ABI/testing/
/// sysfs-devices-system-cpu). The LLC is the cache of the highest level; a host that shows no caches, as
/// many virtual ones do, is taken to have one for each package, and one that shows no NUMA nodes to have
/// node 0. Errors: kNotFound, naming the file that is missing; kCorrupt, naming the one that makes no sense.
[[nodiscard]] Result<HostTopology> read_host_topology(const std::filesystem::path& sysfs,
                                                      const CpuSet& usable);

}  // namespace ktstr::vmm
