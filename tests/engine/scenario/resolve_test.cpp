#include "engine/scenario/resolve.h"

#include <doctest/doctest.h>

namespace ktstr::engine {
namespace {

constexpr vmm::Topology kFourCpus{1, 2, 2, 1};   // usable: 0-2
constexpr vmm::Topology kEightCpus{2, 2, 2, 2};  // usable: 0-6; LLCs 0-3, 4-7; siblings 0-1, 2-3 ...
constexpr vmm::Topology kTwoCpus{1, 1, 2, 1};    // usable: both

std::string cpus(const CpusetSpec& spec, const vmm::Topology& topology) {
  const auto set = resolve_cpuset(spec, topology);
  return set ? set->to_string() : set.error().message;
}

std::string affinity(const AffinitySpec& spec, const CpuSet& cpuset, const vmm::Topology& topology) {
  const auto sets = resolve_affinity(spec, cpuset, topology, 1, 7);
  return sets ? sets->front().to_string() : sets.error().message;
}

}  // namespace

TEST_CASE("the last CPU is kept free when there are more than two") {
  CHECK(usable_cpus(kFourCpus).to_string() == "0-2");
  CHECK(usable_cpus(kTwoCpus).to_string() == "0-1");
  CHECK(usable_cpus({1, 1, 1, 1}).to_string() == "0");
}

TEST_CASE("LLC and NUMA cpusets are the usable CPUs of the group") {
  CHECK(cpus(LlcCpuset{0}, kFourCpus) == "0-1");
  CHECK(cpus(LlcCpuset{1}, kFourCpus) == "2");
  CHECK(cpus(NumaCpuset{1}, kEightCpus) == "4-6");
  CHECK(cpus(LlcCpuset{2}, kFourCpus) == "llc(2): index must be below 2, the topology's LLCs");
  CHECK(cpus(NumaCpuset{1}, kFourCpus) == "numa(1): node must be below 1, the topology's NUMA nodes");
  CHECK(cpus(LlcCpuset{2}, {1, 3, 1, 1}) == "llc(2): holds no CPU of the 2 usable CPUs");
}

TEST_CASE("cpusets of nodes that differ are their CPUs, and a node without any has none to give") {
  const auto topology = *vmm::Topology::parse("3n3l2c1t nodes=2,1,0:64M");
  CHECK(cpus(NumaCpuset{0}, topology) == "0-3");
  CHECK(cpus(NumaCpuset{1}, topology) == "4");
  CHECK(cpus(LlcCpuset{1}, topology) == "2-3");
  CHECK(cpus(NumaCpuset{2}, topology) == "numa(2): node 2 has no CPUs, only memory");
  CHECK(cpus(NumaCpuset{3}, topology) == "numa(3): node must be below 3, the topology's NUMA nodes");
}

TEST_CASE("adjacent ranges leave no CPU out and share none") {
  CHECK(cpus(RangeCpuset{0, 0.5}, kFourCpus) == "0");
  CHECK(cpus(RangeCpuset{0.5, 1}, kFourCpus) == "1-2");
  CHECK(cpus(RangeCpuset{0, 0.29}, {1, 1, 101, 1}) == "0-28");
  CHECK(cpus(RangeCpuset{0, 0.2}, kFourCpus) == "range(0.0, 0.2): holds no CPU of the 3 usable CPUs");
}

TEST_CASE("ranges outside 0 to 1, or the wrong way round, are refused") {
  CHECK(cpus(RangeCpuset{-0.1, 1}, kFourCpus) ==
        "range(-0.1, 1.0): start and end must be fractions from 0 to 1");
  CHECK(cpus(RangeCpuset{0, 1.5}, kFourCpus) ==
        "range(0.0, 1.5): start and end must be fractions from 0 to 1");
  CHECK(cpus(RangeCpuset{0.5, 0.5}, kFourCpus) == "range(0.5, 0.5): start must be below end");
  CHECK(cpus(RangeCpuset{0, std::numeric_limits<double>::quiet_NaN()}, kFourCpus)
            .ends_with("must be fractions from 0 to 1"));
}

TEST_CASE("disjoint parts cover the usable CPUs once") {
  CpuSet all;
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const auto part = resolve_cpuset(DisjointCpuset{i, 3}, kEightCpus);
    REQUIRE(part.has_value());
    all = all | *part;
    count += part->count();
  }
  CHECK(all == usable_cpus(kEightCpus));
  CHECK(count == 7);
}

TEST_CASE("parts that can't be are refused") {
  CHECK(cpus(DisjointCpuset{2, 2}, kFourCpus) == "disjoint(2, 2): index must be below 2");
  CHECK(cpus(DisjointCpuset{0, 0}, kFourCpus) == "disjoint(0, 0): of must be at least 1");
  CHECK(cpus(DisjointCpuset{0, 4}, kFourCpus) == "disjoint(0, 4): 3 usable CPUs can't make 4 parts");
}

TEST_CASE("overlapping parts reach into both neighbours") {
  CHECK(cpus(OverlapCpuset{0, 3, 0.5}, {1, 1, 13, 1}) == "0-5");
  CHECK(cpus(OverlapCpuset{1, 3, 0.5}, {1, 1, 13, 1}) == "2-9");
  CHECK(cpus(OverlapCpuset{1, 3, 0}, {1, 1, 13, 1}) == "4-7");
  CHECK(cpus(OverlapCpuset{1, 3, 0.3}, {1, 1, 13, 1}) == "2-9");  // 1.2 CPUs are two
  CHECK(cpus(OverlapCpuset{1, 3, 0.25}, {1, 1, 13, 1}) == "3-8");
  CHECK(cpus(OverlapCpuset{0, 2, 1.1}, kFourCpus) == "overlap(0, 2, 1.1): fraction must be from 0 to 1");
}

TEST_CASE("exact sets may have every CPU of the topology and no other") {
  CHECK(cpus(ExactCpuset{{0, 3}}, kFourCpus) == "0,3");
  CHECK(cpus(ExactCpuset{{4}}, kFourCpus) == "exact(\"4\"): the topology has only CPUs 0-3");
  CHECK(cpus(ExactCpuset{}, kFourCpus) == "exact(\"\"): names no CPU");
}

TEST_CASE("affinities follow the cpuset and the topology") {
  CHECK(affinity(InheritAffinity{}, {0, 1}, kEightCpus).empty());
  CHECK(affinity(SingleCpuAffinity{}, {3, 5}, kEightCpus) == "3");
  CHECK(affinity(LlcAlignedAffinity{}, {3, 4, 5}, kEightCpus) == "4-7");
  CHECK(affinity(LlcAlignedAffinity{}, {3, 4}, kEightCpus) == "0-3");  // of equals the first
  CHECK(affinity(LlcAlignedAffinity{}, {2, 3, 4, 5}, kEightCpus) == "0-3");
  CHECK(affinity(CrossCgroupAffinity{}, {3}, kEightCpus) == "0-6");
  CHECK(affinity(SmtSiblingPairAffinity{}, {1, 2, 3}, kEightCpus) == "2-3");
  CHECK(affinity(ExactAffinity{{1, 2}}, {2, 3}, kEightCpus) == "1-2");
}

TEST_CASE("affinities that no worker could have are refused") {
  CHECK(affinity(SmtSiblingPairAffinity{}, {0, 2}, kEightCpus) ==
        "smt_sibling_pair: the cpuset 0,2 holds no two SMT siblings");
  CHECK(affinity(ExactAffinity{{0}}, {2, 3}, kEightCpus) ==
        "exact(\"0\"): no CPU of 0 lies in the cpuset 2-3");
  CHECK(affinity(ExactAffinity{{9}}, {2, 3}, kEightCpus) == "exact(\"9\"): the topology has only CPUs 0-7");
  CHECK(affinity(RandomSubsetAffinity{std::nullopt, 3}, {0, 1}, kEightCpus) ==
        "random_subset(3): count must be at most 2, the CPUs to choose from");
  CHECK(affinity(RandomSubsetAffinity{std::nullopt, 0}, {0, 1}, kEightCpus) ==
        "random_subset(0): count must be at least 1");
}

TEST_CASE("random subsets have the asked size, stay in their pool and repeat with the seed") {
  const RandomSubsetAffinity spec{CpuSet{0, 1, 2, 3, 9}, 2};
  const auto once = resolve_affinity(spec, {0, 1, 2, 3}, kEightCpus, 16, 42);
  const auto again = resolve_affinity(spec, {0, 1, 2, 3}, kEightCpus, 16, 42);
  const auto other = resolve_affinity(spec, {0, 1, 2, 3}, kEightCpus, 16, 43);
  REQUIRE(once.has_value());
  for (const auto& set : *once) {
    CHECK(set.count() == 2);
    CHECK(set.is_subset_of({0, 1, 2, 3}));
  }
  CHECK(*once == *again);
  CHECK(*once != *other);
}

}  // namespace ktstr::engine
