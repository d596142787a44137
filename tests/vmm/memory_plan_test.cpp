#include "vmm/memory_plan.h"

#include <doctest/doctest.h>

#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm {
namespace {

MachineConfig machine_of(const char* topology, std::uint64_t bytes) {
  MachineConfig config;
  config.topology = *Topology::parse(topology);
  config.memory = ByteSize{bytes};
  return config;
}

}  // namespace

TEST_CASE("nodes get equal parts") {
  CHECK(*plan_banks(machine_of("1n1l2c1t", 512 * kMiB)) == std::vector<std::uint64_t>{512 * kMiB});
  CHECK(*plan_banks(machine_of("2n2l2c1t", 512 * kMiB)) ==
        std::vector<std::uint64_t>{256 * kMiB, 256 * kMiB});
}

TEST_CASE("a part is rounded up to whole 2 MiB") {
  CHECK(*plan_banks(machine_of("1n1l1c1t", 256 * kMiB + 1)) == std::vector<std::uint64_t>{258 * kMiB});
  CHECK(*plan_banks(machine_of("3n3l1c1t", 256 * kMiB)) == std::vector<std::uint64_t>(3, 86 * kMiB));
}

TEST_CASE("what a kernel needs grows with its CPUs, and less is refused") {
  CHECK(plan_banks(machine_of("1n1l1c1t", 196 * kMiB)).has_value());
  const auto refused = plan_banks(machine_of("1n1l1c1t", 196 * kMiB - 1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(plan_banks(machine_of("1n2l4c2t", 256 * kMiB)).has_value());
  CHECK(plan_banks(machine_of("1n2l4c2t", 254 * kMiB)).error().message ==
        "254M of memory is too little for 16 CPUs: a kernel needs 256M to boot");
}

}  // namespace ktstr::vmm
