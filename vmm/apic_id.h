// APIC ids: the number that a topology gives each CPU, as its APIC, ACPI tables and CPUID leaves all tell it.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmm/topology.h"

namespace ktstr::vmm {

/// The largest id of an APIC that is not in x2APIC mode: 255 is the broadcast.
inline constexpr std::uint32_t kLargestXapicId = 254;

/// How many bits of an APIC id number the threads of a core and the cores of a package; the package's number
/// has the rest. A package is one LLC. Each field is as wide as the next power of two of what it counts
/// (Intel SDM vol. 3, 9.9.1; these are the shifts of CPUID leaf 0xB).
struct ApicIdFields {
  unsigned thread_bits = 0;
  unsigned core_bits = 0;

  explicit ApicIdFields(const Topology& topology);
  [[nodiscard]] unsigned package_shift() const { return thread_bits + core_bits; }
};

/// The APIC id of `cpu`. Ascending with the CPU's number; CPU 0 has 0. Precondition: cpu < topology.cpus().
[[nodiscard]] std::uint32_t apic_id(const Topology& topology, std::size_t cpu);

/// The APIC id of the last CPU.
[[nodiscard]] std::uint32_t largest_apic_id(const Topology& topology);

}  // namespace ktstr::vmm
