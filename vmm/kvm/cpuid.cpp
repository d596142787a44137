#include "vmm/kvm/cpuid.h"

#include <asm/kvm_para.h>

#include <array>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"
#include "vmm/apic_id.h"
#include "vmm/kvm/cpuid_amd.h"
#include "vmm/kvm/cpuid_caches.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint32_t kExtendedTopology = 0xb, kExtendedTopologyV2 = 0x1f;
constexpr std::uint32_t kHybridInformation = 0x1a;

bool is_amd(CpuidLeaves& leaves) {
  const auto& leaf = leaves.get(0);
  const std::array<std::uint32_t, 3> registers{leaf.ebx, leaf.edx, leaf.ecx};
  char vendor[sizeof registers];
  std::memcpy(vendor, registers.data(), sizeof vendor);
  const std::string_view name(vendor, sizeof vendor);
  return name == "AuthenticAMD" || name == "HygonGenuine";
}

/// Intel counts the APIC ids that a package could have, AMD those that it has.
std::size_t logical_processors(const Topology& topology, bool amd) {
  return amd ? topology.cpus_per_llc() : std::size_t{1} << ApicIdFields(topology).package_shift();
}

void set_features(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu, bool amd) {
  constexpr std::uint32_t kX2Apic = 1U << 21, kTscDeadline = 1U << 24, kHypervisor = 1U << 31;
  constexpr std::uint32_t kSeveralLogicalProcessors = 1U << 28;  // HTT
  auto& leaf = leaves.get(1);
  leaf.ebx = with_field(leaf.ebx, 16, 8, logical_processors(topology, amd));
  leaf.ebx = (leaf.ebx & 0xffffff) | (apic_id(topology, cpu) & 0xff) << 24;
  leaf.ecx |= kX2Apic | kTscDeadline | kHypervisor;
  leaf.edx = topology.cpus_per_llc() > 1 ? leaf.edx | kSeveralLogicalProcessors
                                         : leaf.edx & ~kSeveralLogicalProcessors;
}

/// Leaves 0xB and 0x1F: a level's EAX is the shift to the number of what is above it. What is above the cores
/// is the package.
void set_extended_topology(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu, bool amd) {
  constexpr std::uint32_t kThreads = 1 << 8, kCores = 2 << 8;  // in ECX, beside the subleaf's number
  const ApicIdFields fields(topology);
  const auto id = apic_id(topology, cpu);
  const std::array<CpuidRegisters, 3> levels{{
      {fields.thread_bits, static_cast<std::uint32_t>(topology.threads_per_core), kThreads | 0, id},
      {fields.package_shift(), static_cast<std::uint32_t>(topology.cpus_per_llc()), kCores | 1, id},
      {0, 0, 2, id},
  }};
  auto& largest = leaves.get(0).eax;
  if (largest < kExtendedTopology) largest = kExtendedTopology;
  const bool second_version = !amd && largest >= kExtendedTopologyV2;
  leaves.replace(kExtendedTopology, levels);
  leaves.drop(kExtendedTopologyV2);
  if (second_version) leaves.replace(kExtendedTopologyV2, levels);
}

void set_paravirtual(CpuidLeaves& leaves, const Topology& topology, const CpuidOptions& options) {
  auto* const features = leaves.find(KVM_CPUID_FEATURES);
  if (features == nullptr) return;
  if (options.dedicated_cpus) features->edx |= 1U << KVM_HINTS_REALTIME;
  if (largest_apic_id(topology) > kLargestXapicId) features->eax |= 1U << KVM_FEATURE_MSI_EXT_DEST_ID;
}

}  // namespace

std::vector<kvm_cpuid_entry2> guest_cpuid(std::span<const kvm_cpuid_entry2> supported,
                                          const Topology& topology, std::size_t cpu,
                                          const CpuidOptions& options) {
  KTSTR_CHECK(cpu < topology.cpus());
  CpuidLeaves leaves(supported);
  const bool amd = is_amd(leaves);
  set_features(leaves, topology, cpu, amd);
  set_extended_topology(leaves, topology, cpu, amd);
  leaves.drop(kHybridInformation);
  if (amd) {
    leaves.drop(4);
    set_amd_topology(leaves, topology, cpu);
  } else {
    set_intel_caches(leaves, topology);
  }
  set_paravirtual(leaves, topology, options);
  return std::move(leaves).take();
}

}  // namespace ktstr::vmm::kvm
