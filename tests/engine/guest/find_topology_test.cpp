#include "engine/guest/find_topology.h"

#include <doctest/doctest.h>

#include "tests/temporary_directory.h"

namespace ktstr::engine::guest {
namespace {

/// A tree like /sys/devices/system.
class System {
 public:
  void put(const std::string& file, const std::string& line) { directory_.write(file, line + "\n"); }
  void cache(int cpu, int index, int level, const std::string& cpus) {
    const auto place = "cpu/cpu" + std::to_string(cpu) + "/cache/index" + std::to_string(index) + "/";
    put(place + "level", std::to_string(level));
    put(place + "shared_cpu_list", cpus);
  }
  [[nodiscard]] Result<protocol::FoundTopology> find() const { return find_topology(directory_.path()); }

 private:
  test::TemporaryDirectory directory_;
};

}  // namespace

TEST_CASE("CPUs, last-level caches and nodes are those that the kernel shows") {
  System system;
  system.put("cpu/possible", "0-3");
  system.put("cpu/online", "0-1,3");
  for (const int cpu : {0, 1, 3}) {
    system.cache(cpu, 0, 1, std::to_string(cpu));
    system.cache(cpu, 1, 3, cpu < 2 ? "0-1" : "3");
    system.cache(cpu, 2, 2, std::to_string(cpu));
  }
  system.put("node/online", "0-1");
  system.put("node/node0/cpulist", "0-1,3");
  system.put("node/node1/cpulist", "");
  const auto found = system.find();
  REQUIRE_MESSAGE(found, found.error().message);
  CHECK(found->possible == CpuSet{0, 1, 2, 3});
  CHECK(found->online == CpuSet{0, 1, 3});
  CHECK(*found->llcs == std::vector{CpuSet{0, 1}, CpuSet{3}});
  CHECK(*found->nodes == std::vector{CpuSet{0, 1, 3}, CpuSet{}});
}

TEST_CASE("what the kernel does not show is absent") {
  System system;
  CHECK_FALSE(system.find());
  system.put("cpu/possible", "0");
  system.put("cpu/online", "0");
  const auto found = system.find();
  REQUIRE(found);
  CHECK_FALSE(found->llcs);
  CHECK_FALSE(found->nodes);
}

}  // namespace ktstr::engine::guest
