#include "vmm/apic_id.h"

#include <bit>

#include "engine/base/check.h"

namespace ktstr::vmm {

ApicIdFields::ApicIdFields(const Topology& topology)
    : thread_bits(static_cast<unsigned>(std::bit_width(topology.threads_per_core - 1))),
      core_bits(static_cast<unsigned>(std::bit_width(topology.cores_per_llc - 1))) {}

std::uint32_t apic_id(const Topology& topology, std::size_t cpu) {
  KTSTR_CHECK(cpu < topology.cpus());
  const ApicIdFields fields(topology);
  const auto thread = cpu % topology.threads_per_core;
  const auto core = cpu / topology.threads_per_core % topology.cores_per_llc;
  const auto llc = cpu / topology.cpus_per_llc();
  return static_cast<std::uint32_t>(llc << fields.package_shift() | core << fields.thread_bits | thread);
}

std::uint32_t largest_apic_id(const Topology& topology) {
  return apic_id(topology, topology.cpus() - 1);
}

}  // namespace ktstr::vmm
