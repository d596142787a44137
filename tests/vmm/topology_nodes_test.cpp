// Topologies whose nodes differ.
#include <doctest/doctest.h>

#include "tests/vmm/mebibyte.h"
#include "vmm/topology.h"

namespace ktstr::vmm {
namespace {

constexpr ByteSize mib(std::uint64_t count) {
  return {count * kMiB};
}

/// Of two cores of one thread in each LLC.
std::string complaint_about(std::vector<NodeSpec> nodes, NodeRelations relations = {}) {
  const auto topology = Topology::of_nodes(std::move(nodes), 2, 1, std::move(relations));
  if (topology) return "";
  CHECK(topology.error().code == ErrorCode::kInvalidArgument);
  return topology.error().message;
}

std::string complaint_about(const char* text) {
  const auto topology = Topology::parse(text);
  return topology ? "" : topology.error().message;
}

}  // namespace

TEST_CASE("CPU numbers run through nodes of different sizes, and a node without CPUs has none") {
  const auto topology = *Topology::of_nodes({{2, mib(512)}, {1, {}}, {0, mib(256)}}, 3, 2);
  CHECK(topology.nodes == 3);
  CHECK(topology.llcs == 3);
  CHECK(topology.cpus() == 18);
  CHECK(topology.nodes_with_cpus() == 2);
  CHECK(topology.node_llcs(0) == 2);
  CHECK(topology.node_cpus(0).to_string() == "0-11");
  CHECK(topology.node_cpus(1).to_string() == "12-17");
  CHECK(topology.node_cpus(2).empty());
  CHECK(topology.llc_cpus(2).to_string() == "12-17");
  CHECK(topology.core_cpus(13).to_string() == "12-13");
  CHECK(topology.node_memory(0) == mib(512));
  CHECK(topology.node_memory(1) == std::nullopt);
}

TEST_CASE("nodes that are alike are the plain topology") {
  const auto topology = *Topology::of_nodes({{2, {}}, {2, {}}}, 4, 1);
  CHECK(topology == *Topology::parse("2n4l4c1t"));
  CHECK(topology.to_string() == "2n4l4c1t");
  CHECK(*Topology::parse("2n4l4c1t nodes=2,2") == topology);
  CHECK(topology.nodes_with_cpus() == 2);
  CHECK(topology.node_memory(1) == std::nullopt);
}

TEST_CASE("a topology whose nodes differ reads back from its text") {
  const auto topology = *Topology::of_nodes({{2, mib(512)}, {1, {}}, {0, mib(256)}}, 2, 1,
                                            {{{10, 20, 30}, {20, 10, 30}, {30, 30, 10}}, {}, {}});
  CHECK(topology.to_string() == "3n3l2c1t nodes=2:512M,1,0:256M distances=10,20,30/20,10,30/30,30,10");
  CHECK(*Topology::parse(topology.to_string()) == topology);
  for (const char* text : {"2n3l1c1t nodes=2,1", "2n2l1c1t distances=10,30/30,10",
                           "2n1l1c1t nodes=1,0:64M latency_ns=90,300 bandwidth_mb_per_s=20000,5000",
                           "2n2l1c2t nodes=1:1G,1:1G"}) {
    CAPTURE(text);
    CHECK(Topology::parse(text)->to_string() == text);
  }
}

TEST_CASE("nodes that Linux would number differently, or not see, are refused") {
  CHECK(complaint_about(std::vector<NodeSpec>{}) == "nodes: must be 1 to 8192");
  CHECK(complaint_about({{0, mib(512)}}) == "no node has CPUs");
  CHECK(complaint_about({{0, mib(512)}, {1, {}}}) ==
        "node 0 has no CPUs: Linux numbers nodes with CPUs first");
  CHECK(complaint_about({{1, {}}, {0, mib(64)}, {1, {}}}) ==
        "node 2 has CPUs and comes after one that has none: Linux numbers nodes with CPUs first");
  CHECK(complaint_about({{1, {}}, {0, {}}}) ==
        "node 1 has no CPUs and states no memory: it needs one of both");
}

TEST_CASE("a node's memory is whole 2 MiB, and enough") {
  CHECK(complaint_about({{1, mib(128)}, {1, mib(16)}}) == "");
  CHECK(complaint_about({{1, mib(256)}, {1, mib(15)}}) == "node 1: its memory of 15M is not whole 2M");
  CHECK(complaint_about({{1, mib(256)}, {1, mib(14)}}) ==
        "node 1: 14M of memory is too little: at least 16M");
  CHECK(complaint_about({{1, mib(126)}, {1, mib(256)}}) ==
        "node 0: 126M of memory is too little: at least 128M, as the kernel is loaded there");
  CHECK(complaint_about({{1, mib(256)}, {1, mib(2 << 20)}}) == "node 1: 2T of memory is more than 1T");
}

TEST_CASE("relations must fit the nodes, and there must be several") {
  CHECK(complaint_about({{1, {}}, {2, {}}}, {{{10}}, {}, {}}) ==
        "distances: must be 2 rows of 2, one for each node");
  CHECK(complaint_about({{1, {}}}, {{{10}}, {}, {}}) == "one node has no other to be distant from");
}

TEST_CASE("counts that no machine has are refused") {
  CHECK(Topology::of_nodes({{1, {}}}, 0, 1).error().message == "cores_per_llc: must be 1 to 8192");
  CHECK(Topology::of_nodes({{1, {}}}, 1, 8193).error().message == "threads_per_core: must be 1 to 8192");
  CHECK(Topology::of_nodes({{SIZE_MAX, {}}, {2, {}}}, 1, 1).error().message == "more than 8192 LLCs");
  CHECK(Topology::of_nodes({{4096, {}}, {4097, {}}}, 1, 1).error().message == "more than 8192 CPUs");
}

TEST_CASE("text that is no list of nodes or distances is refused with the word that is wrong") {
  for (const char* detail :
       {"nodes", "nodes=", "nodes=2,", "nodes=2:512", "nodes=-1,3", "nodes=1,2 nodes=1,2", "node=2,1",
        "distances=10,20/", "distances=10,20/20,10x", "latency_ns=,", ""}) {
    CAPTURE(detail);
    CHECK(complaint_about(("2n3l1c1t " + std::string(detail)).c_str()).find("is not a list such as") !=
          std::string::npos);
  }
  CHECK(complaint_about("2n3l1c1t nodes=2,2") ==
        "\"2n3l1c1t nodes=2,2\": 2 nodes with 4 LLCs in all are stated, not 2 with 3");
  CHECK(complaint_about("2n3l1c1t nodes=1,1,1") ==
        "\"2n3l1c1t nodes=1,1,1\": 3 nodes with 3 LLCs in all are stated, not 2 with 3");
  CHECK(complaint_about("2n2l1c1t distances=10,9/9,10") ==
        "\"2n2l1c1t distances=10,9/9,10\": distances: from node 0 to 1 is 9, not 11 to 254");
}

}  // namespace ktstr::vmm
