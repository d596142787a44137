// MachineGuest: a synthetic guest with CPU times, a cgroup hierarchy with pressure, and NUMA nodes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/introspect/sched/synthetic_btf.h"
#include "tests/introspect/sched/synthetic_guest.h"

namespace ktstr::introspect::test {

struct MachineShape {
  bool idle_in_cpustat = true;  ///< kernels that keep idle periods in struct kernel_cpustat
  bool irq_pressure = false;    ///< CONFIG_IRQ_TIME_ACCOUNTING
};

/// Two CPUs, two nodes with two zones each, the second zone of each without pages, and an empty hierarchy of
/// cgroups. All counters are 0.
class MachineGuest : public SyntheticGuest {
 public:
  static constexpr std::size_t kCpus = 2;
  static constexpr std::uint64_t kNodes = 2;

  explicit MachineGuest(const MachineShape& shape = {});

  /// A live cgroup with a psi_group. Returns the struct cgroup.
  KernelVirt add_cgroup(KernelVirt parent, std::string_view name);
  [[nodiscard]] KernelVirt root_cgroup() const;
  [[nodiscard]] KernelVirt psi_of(KernelVirt cgroup);
  void set_dead(KernelVirt cgroup) { set(cgroup, "cgroup", "self.flags", std::uint32_t{0}); }

  [[nodiscard]] KernelVirt cpustat(std::size_t cpu) const { return per_cpu(symbol("kernel_cpustat"), cpu); }
  [[nodiscard]] KernelVirt kstat(std::size_t cpu) const { return per_cpu(symbol("kstat"), cpu); }
  [[nodiscard]] KernelVirt zone(std::size_t node, std::size_t index) const;
  /// A zone's per-CPU counters.
  [[nodiscard]] KernelVirt zonestat(std::size_t node, std::size_t cpu) const {
    return per_cpu(zonestats_[node], cpu);
  }
  /// The per-CPU counters that all zones without pages share.
  [[nodiscard]] KernelVirt boot_zonestat(std::size_t cpu) const { return per_cpu(boot_zonestats_, cpu); }

  /// The address of a member, placed by BTF.
  [[nodiscard]] KernelVirt member(KernelVirt base, std::string_view structure, std::string_view path) const;
  template <class T>
  [[nodiscard]] T get(KernelVirt address) {
    T value;
    std::memcpy(&value, at(address), sizeof(value));
    return value;
  }

 private:
  void add_nodes();

  std::vector<KernelVirt> nodes_;
  std::vector<KernelVirt> zonestats_;
  KernelVirt boot_zonestats_;
};

}  // namespace ktstr::introspect::test
