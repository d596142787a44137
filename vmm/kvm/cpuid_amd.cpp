#include "vmm/kvm/cpuid_amd.h"

#include "vmm/apic_id.h"
#include "vmm/kvm/cpuid_caches.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kLargestNeededLeaf = 0x8000001e;

struct FamilyModel {
  std::uint32_t family = 0, model = 0;

  explicit FamilyModel(std::uint32_t signature)
      : family(signature >> 8 & 0xf), model((signature >> 12 & 0xf0) | (signature >> 4 & 0xf)) {
    if (family == 0xf) family += signature >> 20 & 0xff;
  }
};

/// Linux (arch/x86/kernel/cpu/cacheinfo.c, cacheinfo_amd_init_llc_id and its twin for Hygon) takes bit 3 of
/// the APIC id for the number of the LLC on these CPUs, and the package's number where 0x80000006 has no L3.
bool counts_llcs_in_eights(const FamilyModel& cpu) {
  const bool first_zen = cpu.family == 0x17 && cpu.model <= 0x1f;
  const bool hygon = cpu.family == 0x18;
  return first_zen || hygon;
}

void set_features(CpuidLeaves& leaves, const Topology& topology) {
  constexpr std::uint32_t kCmpLegacy = 1 << 1, kTopologyExtensions = 1 << 22;
  auto& features = leaves.get(0x80000001).ecx;
  features |= kTopologyExtensions;
  features = topology.cpus_per_llc() > 1 ? features | kCmpLegacy : features & ~kCmpLegacy;
}

void set_package_size(CpuidLeaves& leaves, const Topology& topology) {
  auto& size = leaves.get(0x80000008).ecx;
  size = with_field(size, 0, 8, topology.cpus_per_llc() - 1);
  size = with_field(size, 12, 4, ApicIdFields(topology).package_shift());
}

void set_place(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu) {
  const auto core = cpu / topology.threads_per_core % topology.cores_per_llc;
  auto& place = leaves.get(0x8000001e);
  place.eax = apic_id(topology, cpu);
  place.ebx = static_cast<std::uint32_t>(core & 0xff);
  place.ebx = with_field(place.ebx, 8, 8, topology.threads_per_core - 1);
  place.ecx = static_cast<std::uint32_t>(cpu / topology.cpus_per_llc() & 0xff);
  place.edx = 0;
}

}  // namespace

void set_amd_topology(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu) {
  auto& largest = leaves.get(0x80000000).eax;
  if (largest < kLargestNeededLeaf) largest = kLargestNeededLeaf;
  set_features(leaves, topology);
  set_package_size(leaves, topology);
  set_place(leaves, topology, cpu);
  set_amd_caches(leaves, topology, !counts_llcs_in_eights(FamilyModel(leaves.get(1).eax)));
  leaves.drop(0x80000026);
}

}  // namespace ktstr::vmm::kvm
