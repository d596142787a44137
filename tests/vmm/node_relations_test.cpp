#include "vmm/node_relations.h"

#include <doctest/doctest.h>

namespace ktstr::vmm {
namespace {

/// Two nodes with CPUs and one without.
std::string complaint_about_relations(const NodeRelations& relations) {
  const auto status = relations.check(3, 2);
  if (status) return "";
  CHECK(status.error().code == ErrorCode::kInvalidArgument);
  return status.error().message;
}

}  // namespace

TEST_CASE("what is not stated follows: 10 and 20, 10 ns for each unit, less bandwidth with each") {
  const NodeRelations relations;
  CHECK(relations.empty());
  CHECK(complaint_about_relations(relations) == "");
  CHECK(relations.distance(0, 0) == 10);
  CHECK(relations.distance(0, 2) == 20);
  CHECK(relations.latency(1, 1) == 100);
  CHECK(relations.latency(1, 2) == 200);
  CHECK(relations.bandwidth(1, 1) == 20000);
  CHECK(relations.bandwidth(1, 2) == 10000);
}

TEST_CASE("latency and bandwidth follow from stated distances") {
  const NodeRelations relations{{{10, 21, 40}, {21, 10, 14}, {40, 14, 10}}, {}, {}};
  CHECK(relations.latency(0, 2) == 400);
  CHECK(relations.bandwidth(0, 1) == 9523);
}

TEST_CASE("stated values are taken as they are") {
  const NodeRelations relations{{}, {{90, 140, 400}, {140, 91, 300}}, {{1, 2, 3}, {4, 5, 65534}}};
  CHECK(complaint_about_relations(relations) == "");
  CHECK_FALSE(relations.empty());
  CHECK(relations.distance(1, 2) == 20);
  CHECK(relations.latency(1, 2) == 300);
  CHECK(relations.bandwidth(1, 2) == 65534);
}

TEST_CASE("a node's nearest CPUs are its own, else those at the least latency, the first of several") {
  const NodeRelations far{{}, {{90, 140, 400}, {140, 91, 300}}, {}};
  CHECK(far.nearest_cpus(0, 2) == 0);
  CHECK(far.nearest_cpus(1, 2) == 1);
  CHECK(far.nearest_cpus(2, 2) == 1);
  CHECK(NodeRelations{}.nearest_cpus(2, 2) == 0);
}

TEST_CASE("distances are one square, 10 on the diagonal, 11 to 254 elsewhere and the same both ways") {
  CHECK(complaint_about_relations({{{10, 20}, {20, 10}}, {}, {}}) ==
        "distances: must be 3 rows of 3, one for each node");
  CHECK(complaint_about_relations({{{10, 20, 30}, {20, 10}, {30, 30, 10}}, {}, {}}) ==
        "distances: must be 3 rows of 3, one for each node");
  CHECK(complaint_about_relations({{{10, 20, 30}, {20, 11, 30}, {30, 30, 10}}, {}, {}}) ==
        "distances: from node 1 to itself is 11, not 10");
  CHECK(complaint_about_relations({{{10, 20, 30}, {20, 10, 31}, {30, 30, 10}}, {}, {}}) ==
        "distances: from node 1 to 2 is 31, back it is 30");
  CHECK(complaint_about_relations({{{10, 10, 30}, {10, 10, 30}, {30, 30, 10}}, {}, {}}) ==
        "distances: from node 0 to 1 is 10, not 11 to 254");
  CHECK(complaint_about_relations({{{10, 255, 30}, {255, 10, 30}, {30, 30, 10}}, {}, {}}) ==
        "distances: from node 0 to 1 is 255, not 11 to 254");
  CHECK(complaint_about_relations({{{10, 11, 254}, {11, 10, 30}, {254, 30, 10}}, {}, {}}) == "");
}

TEST_CASE("latencies and bandwidths are rows of the nodes with CPUs, 1 to 65534") {
  CHECK(complaint_about_relations({{}, {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, {}}) ==
        "latency_ns: must be 2 rows of 3, a row for each node with CPUs and a column for each");
  CHECK(complaint_about_relations({{}, {{1, 2, 0}, {4, 5, 6}}, {}}) ==
        "latency_ns: from node 0 to 2 is 0, not 1 to 65534");
  CHECK(complaint_about_relations({{}, {}, {{1, 2, 3}, {4, 5, 65535}}}) ==
        "bandwidth_mb_per_s: from node 1 to 2 is 65535, not 1 to 65534");
}

}  // namespace ktstr::vmm
