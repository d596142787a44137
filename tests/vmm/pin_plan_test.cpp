#include "vmm/pin_plan.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/vmm/preset_topologies.h"

namespace ktstr::vmm {
namespace {

Topology topology_of(std::string_view text) {
  const auto topology = Topology::parse(text);
  REQUIRE_MESSAGE(topology.has_value(), topology.error().message);
  return *topology;
}

/// As a kernel numbers them: node by node, siblings beside each other; those in `unusable` are left out.
HostTopology host_of(std::string_view text, const CpuSet& unusable = {}) {
  const auto topology = topology_of(text);
  HostTopology host;
  host.nodes = topology.nodes;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu) {
    const auto llc = cpu / topology.cpus_per_llc();
    if (!unusable.contains(cpu))
      host.cpus.push_back({cpu, cpu - cpu % topology.threads_per_core, llc * topology.cpus_per_llc(),
                           llc / (topology.llcs / topology.nodes)});
  }
  return host;
}

using Cpus = std::vector<std::size_t>;

Cpus plan(const HostTopology& host, std::string_view guest) {
  const auto plan = plan_pinning(host, topology_of(guest));
  REQUIRE_MESSAGE(plan.has_value(), plan.error().message);
  return plan->vcpu_cpus;
}

std::string refusal(const HostTopology& host, std::string_view guest, std::size_t spare = 0) {
  const auto plan = plan_pinning(host, topology_of(guest), spare);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().code == ErrorCode::kUnavailable);
  return plan.error().message;
}

}  // namespace

TEST_CASE("a guest LLC is on an LLC of the host, a guest core on a core") {
  const auto host = host_of("1n4l4c2t");
  CHECK(plan(host, "1n2l2c2t") == Cpus{0, 1, 2, 3, 8, 9, 10, 11});
  CHECK(plan(host, "1n2l2c1t") == Cpus{0, 2, 8, 10});
  CHECK(plan(host, "1n1l4c1t") == Cpus{0, 2, 4, 6});
  CHECK(plan(host, "1n4l1c1t") == Cpus{0, 8, 16, 24});
}

TEST_CASE("LLCs and cores that are too small are passed over") {
  const auto host = host_of("1n3l2c2t", CpuSet{1, 3, 4});
  CHECK(plan(host, "1n1l2c2t") == Cpus{8, 9, 10, 11});
  CHECK(plan(host, "1n1l1c2t") == Cpus{6, 7});
  CHECK(plan(host, "1n3l2c1t") == Cpus{0, 2, 5, 6, 8, 10});
}

TEST_CASE("guest nodes are on nodes of their own while there are any, then where there is room") {
  const auto host = host_of("2n8l2c1t");
  const auto two = plan_pinning(host, topology_of("2n4l1c1t"));
  REQUIRE(two.has_value());
  CHECK(two->vcpu_cpus == Cpus{0, 2, 8, 10});
  CHECK(two->node_host_nodes == std::vector{CpuSet{0}, CpuSet{1}});
  const auto four = plan_pinning(host, topology_of("4n8l1c1t"));
  REQUIRE(four.has_value());
  CHECK(four->vcpu_cpus == Cpus{0, 2, 8, 10, 4, 6, 12, 14});
  CHECK(four->node_host_nodes == std::vector{CpuSet{0}, CpuSet{1}, CpuSet{0}, CpuSet{1}});
}

TEST_CASE("every preset lies on a host like itself, and on one that is larger") {
  for (const auto* preset : ktstr::test::kPresetTopologies) {
    CAPTURE(preset);
    const auto guest = topology_of(preset);
    auto larger = guest;
    larger.cores_per_llc += 1;
    larger.threads_per_core = 2;
    Cpus all(guest.cpus());
    for (std::size_t cpu = 0; cpu < all.size(); ++cpu) all[cpu] = cpu;
    CHECK(plan(host_of(preset), preset) == all);
    const auto spread = plan(host_of(larger.to_string()), preset);
    CHECK(std::set(spread.begin(), spread.end()).size() == guest.cpus());
  }
}

TEST_CASE("a host that is too small is refused with what is needed and what there is") {
  CHECK(refusal(host_of("1n1l4c1t"), "1n2l2c2t") ==
        "pinning 1n2l2c2t needs 8 host CPUs: one for each vCPU; this process may use 4");
  CHECK(refusal(host_of("1n1l4c1t"), "1n1l4c1t", 1) ==
        "pinning 1n1l4c1t needs 5 host CPUs: one for each vCPU and 1 that none of them runs on; this process "
        "may use 4");
  CHECK(refusal(host_of("1n1l8c2t", CpuSet{15}), "1n2l2c1t") ==
        "pinning 1n2l2c1t needs 2 LLCs with 2 cores of 1 thread each; of the LLCs that this process may use "
        "(1 with 8 cores of 2 threads) 1 fits");
  CHECK(refusal(host_of("1n2l2c2t", CpuSet{1, 3}), "1n2l2c2t").ends_with("this process may use 6"));
  CHECK(refusal(host_of("1n3l2c2t", CpuSet{1, 3, 4}), "1n2l2c2t") ==
        "pinning 1n2l2c2t needs 2 LLCs with 2 cores of 2 threads each; of the LLCs that this process may use "
        "(1 with 2 cores of 1 thread, 2 with 2 cores of 2 threads) 1 fits");
}

TEST_CASE("cores of one thread are not put on siblings, nor a node's LLCs on two nodes") {
  CHECK(refusal(host_of("1n1l2c2t"), "1n1l4c1t") ==
        "pinning 1n1l4c1t needs 1 LLC with 4 cores of 1 thread each; of the LLCs that this process may use "
        "(1 with 2 cores of 2 threads) 0 fit");
  CHECK(refusal(host_of("2n6l1c1t"), "1n4l1c1t") ==
        "pinning 1n4l1c1t needs NUMA nodes with 4 LLCs of 1 core of 1 thread; this host's have 3, 3");
}

TEST_CASE("of unlike nodes the largest are placed first; one without CPUs has memory of the host's next") {
  const auto unlike = plan_pinning(host_of("2n4l1c1t"), topology_of("2n3l1c1t nodes=1,2"));
  REQUIRE_MESSAGE(unlike.has_value(), unlike.error().message);
  CHECK(unlike->vcpu_cpus == Cpus{2, 0, 1});
  CHECK(unlike->node_host_nodes == std::vector{CpuSet{1}, CpuSet{0}});
  const auto memory_only = plan_pinning(host_of("2n4l1c1t"), topology_of("2n2l1c1t nodes=2,0:256M"));
  REQUIRE_MESSAGE(memory_only.has_value(), memory_only.error().message);
  CHECK(memory_only->vcpu_cpus == Cpus{0, 1});
  CHECK(memory_only->node_host_nodes == std::vector{CpuSet{0}, CpuSet{1}});
}

}  // namespace ktstr::vmm
