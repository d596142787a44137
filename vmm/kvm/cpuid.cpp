#include "vmm/kvm/cpuid.h"

#include <asm/kvm_para.h>

#include <array>
#include <cstring>
#include <string_view>

#include "engine/base/check.h"
#include "vmm/apic_id.h"
#include "vmm/kvm/cpuid_leaves.h"

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

// The caches that guest CPUs report: L1 and L2 are a core's, L3 is an LLC's. The same on every host.
constexpr std::uint32_t kData = 1, kInstructions = 2, kUnified = 3;
constexpr std::uint32_t kLineBytes = 64;

struct Cache {
  std::uint32_t type = 0;
  std::uint32_t level = 0;
  std::uint32_t ways = 0;
  std::uint32_t sets = 0;

  [[nodiscard]] constexpr std::uint32_t kibibytes() const { return ways * sets * kLineBytes / 1024; }
};

constexpr Cache kL1d{kData, 1, 8, 64};
constexpr Cache kL1i{kInstructions, 1, 8, 64};
constexpr Cache kL2{kUnified, 2, 16, 1024};
constexpr Cache kL3{kUnified, 3, 16, 16384};

constexpr std::uint32_t kSixteenWays = 8;  // how 0x80000006 writes the ways of L2 and L3
static_assert(kL2.ways == 16 && kL3.ways == 16);

/// The registers of one cache in the form that leaves 4 and 0x8000001D share. The kernel rounds the number of
/// sharing CPUs up to a power of two, and on AMD divides APIC ids by it: it is one already.
CpuidRegisters registers_of(const Cache& cache, const ApicIdFields& fields) {
  constexpr std::uint32_t kSelfInitializing = 1 << 8;
  const auto shared_bits = cache.level == kL3.level ? fields.package_shift() : fields.thread_bits;
  CpuidRegisters registers;
  registers.eax = cache.type | cache.level << 5 | kSelfInitializing;
  registers.eax = with_field(registers.eax, 14, 12, (1U << shared_bits) - 1);
  registers.ebx = (cache.ways - 1) << 22 | (kLineBytes - 1);
  registers.ecx = cache.sets - 1;
  return registers;
}

/// All of them, and the empty one that ends the list.
std::array<CpuidRegisters, 5> all_caches(const ApicIdFields& fields) {
  return {registers_of(kL1d, fields), registers_of(kL1i, fields), registers_of(kL2, fields),
          registers_of(kL3, fields), CpuidRegisters{}};
}

std::uint32_t legacy_l1(const Cache& cache) {
  return cache.kibibytes() << 24 | cache.ways << 16 | 1 << 8 | kLineBytes;
}

std::uint32_t legacy_l2(const Cache& cache) {
  return cache.kibibytes() << 16 | kSixteenWays << 12 | 1 << 8 | kLineBytes;
}

std::uint32_t legacy_l3(const Cache& cache) {
  return cache.kibibytes() / 512 << 18 | kSixteenWays << 12 | 1 << 8 | kLineBytes;
}

/// Leaf 4 (Intel SDM vol. 2, CPUID), with the package's number of cores, and L2's size in 0x80000006.
void set_intel_caches(CpuidLeaves& leaves, const Topology& topology) {
  const ApicIdFields fields(topology);
  auto caches = all_caches(fields);
  for (auto& cache : caches)
    if (cache.eax != 0) cache.eax = with_field(cache.eax, 26, 6, (1U << fields.core_bits) - 1);
  leaves.replace(4, caches);
  leaves.get(0x80000006).ecx = legacy_l2(kL2);
}

/// Leaf 0x8000001D, and sizes in 0x80000005 and 0x80000006 (AMD APM vol. 3, E.4). `with_legacy_l3`: whether
/// 0x80000006 has an L3.
void set_amd_caches(CpuidLeaves& leaves, const Topology& topology, bool with_legacy_l3) {
  leaves.replace(0x8000001d, all_caches(ApicIdFields(topology)));
  auto& l1 = leaves.get(0x80000005);
  l1.ecx = legacy_l1(kL1d);
  l1.edx = legacy_l1(kL1i);
  auto& l2 = leaves.get(0x80000006);
  l2.ecx = legacy_l2(kL2);
  l2.edx = with_legacy_l3 ? legacy_l3(kL3) : 0;
}

// What the topology of an AMD or Hygon CPU needs beyond the leaves that it has in common with Intel's.
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

void set_amd_features(CpuidLeaves& leaves, const Topology& topology) {
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

/// 0x80000001, 0x80000008, 0x8000001E (AMD APM vol. 3, E.4), and the caches. A package has one node, which
/// bears its number. Leaf 0x80000026 is dropped: Linux then turns to 0xB.
void set_amd_topology(CpuidLeaves& leaves, const Topology& topology, std::size_t cpu) {
  auto& largest = leaves.get(0x80000000).eax;
  if (largest < kLargestNeededLeaf) largest = kLargestNeededLeaf;
  set_amd_features(leaves, topology);
  set_package_size(leaves, topology);
  set_place(leaves, topology, cpu);
  set_amd_caches(leaves, topology, !counts_llcs_in_eights(FamilyModel(leaves.get(1).eax)));
  leaves.drop(0x80000026);
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
