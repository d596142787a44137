#include "vmm/apic_id.h"

#include <doctest/doctest.h>

#include "tests/vmm/preset_topologies.h"

namespace ktstr::vmm {

TEST_CASE("APIC ids are as wide as the next power of two of each level") {
  CHECK(largest_apic_id(*Topology::parse("1n1l1c1t")) == 0);
  CHECK(largest_apic_id(*Topology::parse("1n2l2c2t")) == 7);
  CHECK(largest_apic_id(*Topology::parse("1n14l9c2t")) == ((13 << 4 | 8) << 1 | 1));
}

TEST_CASE("an APIC id is made of LLC, core and thread") {
  const auto topology = *Topology::parse("2n4l3c2t");
  CHECK(ApicIdFields(topology).thread_bits == 1);
  CHECK(ApicIdFields(topology).package_shift() == 3);
  CHECK(apic_id(topology, 0) == 0);
  CHECK(apic_id(topology, 1) == 1);
  CHECK(apic_id(topology, 5) == (2 << 1 | 1));
  CHECK(apic_id(topology, 6) == 1 << 3);
  CHECK(apic_id(topology, 23) == (3 << 3 | 2 << 1 | 1));
}

TEST_CASE("CPUs share an APIC id's upper bits exactly where they share a core or an LLC") {
  for (const char* preset : ktstr::test::kPresetTopologies) {
    CAPTURE(preset);
    const auto topology = *Topology::parse(preset);
    const ApicIdFields fields(topology);
    for (std::size_t cpu = 1; cpu < topology.cpus(); ++cpu) {
      const auto before = apic_id(topology, cpu - 1), id = apic_id(topology, cpu);
      CHECK(before < id);
      CHECK((before >> fields.thread_bits == id >> fields.thread_bits) ==
            topology.core_cpus(cpu).contains(cpu - 1));
      CHECK((before >> fields.package_shift() == id >> fields.package_shift()) ==
            topology.llc_cpus(cpu / topology.cpus_per_llc()).contains(cpu - 1));
    }
  }
}

}  // namespace ktstr::vmm
