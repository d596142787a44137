#include "vmm/topology.h"

#include <doctest/doctest.h>

namespace ktstr::vmm {

TEST_CASE("a topology reads back from its notation") {
  for (const char* text : {"1n1l1c1t", "1n2l4c2t", "2n4l4c1t", "1n15l8c2t", "4n12l8c2t"}) {
    CAPTURE(text);
    CHECK(Topology::parse(text)->to_string() == text);
  }
}

TEST_CASE("a topology's counts follow from its levels") {
  const auto topology = *Topology::parse("2n4l3c2t");
  CHECK(topology.cpus_per_llc() == 6);
  CHECK(topology.cpus() == 24);
  CHECK(topology.node_llcs(1) == 2);
}

TEST_CASE("CPU numbers run through nodes, LLCs, cores and threads in turn") {
  const auto topology = *Topology::parse("2n4l3c2t");
  CHECK(topology.node_cpus(1).to_string() == "12-23");
  CHECK(topology.llc_cpus(2).to_string() == "12-17");
  CHECK(topology.core_cpus(15).to_string() == "14-15");
  CHECK(topology.core_cpus(14).to_string() == "14-15");
}

TEST_CASE("what is no topology is refused with the form that was expected") {
  for (const char* text :
       {"", "1n2l4c", "1n2l4c2tx", "n2l4c2t", "0n2l4c2t", "1n0l4c2t", "1n2l0c2t", "1n2l4c0t", "-1n2l4c2t",
        "1N2l4c2t", "1n 2l4c2t", "1l1n1c1t", "9999n9999l1c1t", "99999999999999999999n1l1c1t"}) {
    CAPTURE(text);
    REQUIRE_FALSE(Topology::parse(text).has_value());
    CHECK(Topology::parse(text).error().code == ErrorCode::kInvalidArgument);
    CHECK(Topology::parse(text).error().message.find("not a topology such as") != std::string::npos);
  }
}

TEST_CASE("LLCs that do not spread evenly over the nodes are refused") {
  CHECK(Topology::parse("2n3l1c1t").error().message ==
        "\"2n3l1c1t\": the number of LLCs (3) must be a multiple of the number of NUMA nodes (2)");
}

TEST_CASE("more CPUs than a CPU set holds are refused, even where their product overflows") {
  for (const char* text : {"1n8192l2c1t", "1n8192l8192c8192t"}) {
    CAPTURE(text);
    CHECK(Topology::parse(text).error().message.find("more than 8192 CPUs") != std::string::npos);
  }
}

}  // namespace ktstr::vmm
