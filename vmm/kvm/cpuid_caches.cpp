#include "vmm/kvm/cpuid_caches.h"

#include <array>

namespace ktstr::vmm::kvm {
namespace {

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

}  // namespace

void set_intel_caches(CpuidLeaves& leaves, const Topology& topology) {
  const ApicIdFields fields(topology);
  auto caches = all_caches(fields);
  for (auto& cache : caches)
    if (cache.eax != 0) cache.eax = with_field(cache.eax, 26, 6, (1U << fields.core_bits) - 1);
  leaves.replace(4, caches);
  leaves.get(0x80000006).ecx = legacy_l2(kL2);
}

void set_amd_caches(CpuidLeaves& leaves, const Topology& topology, bool with_legacy_l3) {
  leaves.replace(0x8000001d, all_caches(ApicIdFields(topology)));
  auto& l1 = leaves.get(0x80000005);
  l1.ecx = legacy_l1(kL1d);
  l1.edx = legacy_l1(kL1i);
  auto& l2 = leaves.get(0x80000006);
  l2.ecx = legacy_l2(kL2);
  l2.edx = with_legacy_l3 ? legacy_l3(kL3) : 0;
}

}  // namespace ktstr::vmm::kvm
