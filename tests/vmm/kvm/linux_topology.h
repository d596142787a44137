// The topology that Linux draws from CPUID, decoded apart from how we encode it: after the kernel's
// arch/x86/kernel/cpu/topology_{common,ext,amd}.c and cacheinfo.c, and match_smt() and match_llc() of
// arch/x86/kernel/smpboot.c, as of 6.16.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/cpu_set.h"
#include "tests/vmm/kvm/host_cpuid.h"

namespace ktstr::vmm::kvm {

/// The executing of CPUID, as KVM answers it from a vCPU's list.
class Cpuid {
 public:
  explicit Cpuid(CpuidEntries entries) : entries_(std::move(entries)) {}
  [[nodiscard]] kvm_cpuid_entry2 operator()(std::uint32_t leaf, std::uint32_t subleaf = 0) const;

 private:
  [[nodiscard]] const kvm_cpuid_entry2* find(std::uint32_t leaf, std::uint32_t subleaf) const;
  CpuidEntries entries_;
};

enum class CpuVendor { kIntel, kAmd, kHygon };

/// One CPU as the kernel sees it when it has come up.
struct LinuxCpu {
  LinuxCpu(CpuidEntries entries, std::uint32_t apic_id);

  static constexpr unsigned kSmt = 0, kCore = 1, kTile = 3, kDie = 4, kTopDomain = 5;

  Cpuid cpuid;
  std::uint32_t apic_id;
  CpuVendor vendor{};
  std::uint32_t family = 0, model = 0;
  std::array<std::uint32_t, kTopDomain + 1> shifts{}, counts{};  ///< by domain
  std::uint32_t initial_apic_id = 0;
  std::uint32_t amd_node = 0, amd_nodes_per_package = 1;
  std::uint32_t package = 0, die = 0, core = 0, llc = 0;
  std::uint32_t compute_unit = 0xff;  ///< 0xff: none
  bool topology_extensions = false;
  std::vector<std::string> complaints;  ///< what the kernel would call a firmware bug
};

/// The sets that /sys/devices/system/cpu tells.
struct LinuxTopology {
  std::vector<LinuxCpu> cpus;

  [[nodiscard]] CpuSet thread_siblings(std::size_t cpu) const;
  [[nodiscard]] CpuSet package_cpus(std::size_t cpu) const;
  /// shared_cpu_list of the cache of that index: 0 L1d, 1 L1i, 2 L2, 3 L3.
  [[nodiscard]] CpuSet cache_cpus(std::size_t cpu, unsigned index) const;
};

}  // namespace ktstr::vmm::kvm
