#include "vmm/host_topology.h"

#include <doctest/doctest.h>

#include "tests/vmm/staged_host.h"

namespace ktstr::vmm {
namespace {

constexpr Topology kTwoNodes{2, 4, 2, 2};

HostTopology read(const StagedHost& host, const CpuSet& usable) {
  const auto topology = read_host_topology(host.sysfs(), usable);
  REQUIRE_MESSAGE(topology.has_value(), topology.error().message);
  return *topology;
}

std::string error_of(const StagedHost& host) {
  const auto topology = read_host_topology(host.sysfs(), host.cpus());
  REQUIRE_FALSE(topology.has_value());
  return topology.error().message;
}

}  // namespace

TEST_CASE("each CPU has its core, its LLC and its NUMA node, by their first CPUs") {
  const StagedHost host(kTwoNodes);
  const auto topology = read(host, host.cpus());
  REQUIRE(topology.cpus.size() == 16);
  CHECK(topology.nodes == 2);
  CHECK(topology.cpus[0] == HostCpu{.cpu = 0, .core = 0, .llc = 0, .node = 0});
  CHECK(topology.cpus[7] == HostCpu{.cpu = 7, .core = 6, .llc = 4, .node = 0});
  CHECK(topology.cpus[13] == HostCpu{.cpu = 13, .core = 12, .llc = 12, .node = 1});
}

TEST_CASE("CPUs that are offline or may not be used are left out, and their groups keep their numbers") {
  const StagedHost host(kTwoNodes);
  host.write("devices/system/cpu/online", "0-5,8-15");
  const auto topology = read(host, CpuSet{5, 6, 9});
  REQUIRE(topology.cpus.size() == 2);
  CHECK(topology.cpus[0] == HostCpu{.cpu = 5, .core = 4, .llc = 4, .node = 0});
  CHECK(topology.cpus[1] == HostCpu{.cpu = 9, .core = 8, .llc = 8, .node = 1});
}

TEST_CASE("a host that shows no caches has an LLC per package, and one that shows no nodes has node 0") {
  const StagedHost host(kTwoNodes);
  for (const auto cpu : host.cpus().to_vector()) host.remove(StagedHost::of_cpu(cpu, "cache"));
  host.remove("devices/system/node");
  const auto topology = read(host, host.cpus());
  CHECK(topology.nodes == 1);
  for (const auto& cpu : topology.cpus) CHECK(cpu.llc == 0);
  for (const auto& cpu : topology.cpus) CHECK(cpu.node == 0);
}

TEST_CASE("a node of memory alone is counted") {
  const StagedHost host({1, 1, 2, 1});
  host.write("devices/system/node/online", "0-1");
  host.write("devices/system/node/node1/cpulist", "");
  CHECK(read(host, host.cpus()).nodes == 2);
}

TEST_CASE("what is missing or makes no sense is named with its file") {
  const StagedHost host({1, 1, 2, 1});
  const auto siblings = StagedHost::of_cpu(1, "topology/thread_siblings_list");
  host.write(siblings, "0");
  CHECK(error_of(host) == (host.sysfs() / siblings).string() + " does not list CPU 1");
  host.write(siblings, "one");
  CHECK(error_of(host) ==
        (host.sysfs() / siblings).string() + ": \"one\" is not a CPU list such as \"0-3,8\"");
  host.remove(siblings);
  CHECK(error_of(host) == (host.sysfs() / siblings).string() + " is missing");
  const auto level = StagedHost::of_cpu(0, "cache/index1/level");
  host.write(level, "L3");
  CHECK(error_of(host) == (host.sysfs() / level).string() + ": \"L3\" is not a number");
}

TEST_CASE("this host's CPUs are read, as many as this process may use") {
  const auto usable = usable_cpus();
  REQUIRE(usable.has_value());
  CHECK(usable->count() == static_cast<std::size_t>(CPU_COUNT([] {
          static cpu_set_t set;
          REQUIRE(::sched_getaffinity(0, sizeof(set), &set) == 0);
          return &set;
        }())));
  const auto topology = read_host_topology("/sys", *usable);
  REQUIRE_MESSAGE(topology.has_value(), topology.error().message);
  CHECK(topology->cpus.size() == usable->count());
}

}  // namespace ktstr::vmm
