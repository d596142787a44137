#include "engine/scenario/topology.h"

#include <doctest/doctest.h>

#include "engine/scenario/load.h"
#include "engine/scenario/workers.h"

namespace ktstr::engine {
namespace {

/// The topology of a scenario with these members and its memory in MiB, or the error.
std::string topology_outcome(const std::string& members) {
  const auto tree = parse_json("{" + members + "}");
  REQUIRE_MESSAGE(tree.has_value(), members);
  const auto scenario = load_scenario(*tree);
  if (!scenario) return scenario.error().text();
  return scenario->topology.to_string() + " has " + format_byte_size(guest_memory(*scenario));
}

std::string table(const std::string& members) {
  return topology_outcome(R"("topology": {)" + members + "}");
}

constexpr const char* kThreeNodes =
    R"("nodes": [{"llcs": 2, "memory": "512M"}, {"llcs": 1}, {"memory": "256M"}], "cores_per_llc": 2)";

}  // namespace

TEST_CASE("a table of nodes is a topology, with 64M for each CPU of nodes that state no memory") {
  CHECK(table(kThreeNodes) == "3n3l2c1t nodes=2:512M,1,0:256M has 896M");
  CHECK(table(std::string(kThreeNodes) +
              R"(, "threads_per_core": 2, "distances": [[10,20,30],[20,10,30],[30,30,10]])") ==
        "3n3l2c2t nodes=2:512M,1,0:256M distances=10,20,30/20,10,30/30,30,10 has 1G");
}

TEST_CASE("a table of nodes that are alike is the plain topology") {
  CHECK(table(R"("nodes": [{"llcs": 1}, {"llcs": 1}])") == "2n2l1c1t has 512M");
  CHECK(topology_outcome(R"("topology": "2n2l1c1t nodes=1,1")") == "2n2l1c1t has 512M");
}

TEST_CASE("memory is what the nodes state, and else grows with the CPUs and nodes, to 512M at least") {
  CHECK(table(R"("nodes": [{"llcs": 1, "memory": "256M"}, {"memory": "64M"}])") ==
        "2n1l1c1t nodes=1:256M,0:64M has 320M");
  CHECK(table(R"("nodes": [{"llcs": 1}, {"memory": "64M"}])") == "2n1l1c1t nodes=1,0:64M has 512M");
  CHECK(table(R"("nodes": [{"llcs": 2}, {"llcs": 1}], "cores_per_llc": 4)") == "2n3l4c1t nodes=2,1 has 768M");
  CHECK(topology_outcome(R"("memory": "1G", "topology": {)" + std::string(kThreeNodes) + "}") ==
        "3n3l2c1t nodes=2:512M,1,0:256M has 1G");
}

TEST_CASE("memory that does not agree with the nodes is an error at the member that states it") {
  CHECK(topology_outcome(R"("memory": "768M", "topology": {)" + std::string(kThreeNodes) + "}") ==
        "memory: the topology's nodes state 768M of memory: 768M is too little for 1 more of 16M");
  CHECK(topology_outcome(R"("memory": "1G", "topology": "2n1l1c1t nodes=1:256M,0:64M")") ==
        "memory: the topology's nodes have 320M of memory in all, not 1G");
  CHECK(table(R"("nodes": [{"llcs": 1, "memory": "128M"}, {"memory": "64M"}])") ==
        "topology: 192M is too little for the 1 CPUs of 2n1l1c1t nodes=1:128M,0:64M: at least 256M");
}

TEST_CASE("unknown keys name the nearest, and kinds are told with the place") {
  CHECK(table(R"("nodes": [{"llc": 2}])") == "topology.nodes[1].llc: unknown key (did you mean \"llcs\"?)");
  CHECK(table(R"("distance": [])") == "topology.distance: unknown key (did you mean \"distances\"?)");
  CHECK(table(R"("nodes": 2)") == "topology.nodes: expected a list, got a whole number (2)");
  CHECK(table(R"("nodes": [{"llcs": 1}], "distances": [[-1]])") ==
        "topology.distances[1][1]: -1 is out of range (0 to 4294967295)");
}

TEST_CASE("what no machine can be is told with the rule it breaks") {
  CHECK(table("") == "topology: nodes: must be 1 to 8192");
  CHECK(table(R"("nodes": [{"memory": "512M"}])") == "topology: no node has CPUs");
  CHECK(table(R"("nodes": [{"memory": "512M"}, {"llcs": 1}])") ==
        "topology: node 0 has no CPUs: Linux numbers nodes with CPUs first");
  CHECK(table(R"("nodes": [{"llcs": 1}, {"llcs": 1}], "distances": [[10,20],[30,10]])") ==
        "topology: distances: from node 0 to 1 is 20, back it is 30");
}

TEST_CASE("mistakes of all relations between nodes are told, those of the nodes before them") {
  const auto mistakes = [](const std::string& members) {
    const auto scenario = load_scenario(*parse_json(R"({"topology": {)" + members + "}}"));
    REQUIRE_FALSE(scenario.has_value());
    auto text = scenario.error().text();
    for (const auto& other : scenario.error().others) text += "; " + other.text();
    return text;
  };
  const std::string relations =
      R"("distances": [[10,20],[30,10]], "latency_ns": [[0,1],[1,1]], "bandwidth_mb_per_s": [[1]])";
  CHECK(mistakes(R"("nodes": [{"llcs": 1}, {"llcs": 1}], )" + relations) ==
        "topology: distances: from node 0 to 1 is 20, back it is 30; "
        "topology: latency_ns: from node 0 to 0 is 0, not 1 to 65534; "
        "topology: bandwidth_mb_per_s: must be 2 rows of 2, a row for each node with CPUs and a column for "
        "each");
  CHECK(mistakes(R"("nodes": [{"memory": "512M"}, {"llcs": 1}], )" + relations) ==
        "topology: node 0 has no CPUs: Linux numbers nodes with CPUs first");
  CHECK(mistakes(R"("nodes": [{"llcs": 1}], )" + relations) ==
        "topology: one node has no other to be distant from");
}

TEST_CASE("a cpuset on a node without CPUs is an error of the scenario") {
  CHECK(topology_outcome(R"("topology": {)" + std::string(kThreeNodes) +
                         R"(}, "cgroups": {"web": {"cpuset": {"type": "numa", "node": 2}}})") ==
        "cgroups.web.cpuset: numa(2): node 2 has no CPUs, only memory");
}

}  // namespace ktstr::engine
