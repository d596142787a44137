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

TEST_CASE("nodes get what they state, and the others equal parts of the rest") {
  using Banks = std::vector<std::uint64_t>;
  const char* text = "4n3l1c1t nodes=1:256M,1,1,0:64M";
  CHECK(*plan_banks(machine_of(text, 512 * kMiB)) == Banks{256 * kMiB, 96 * kMiB, 96 * kMiB, 64 * kMiB});
  CHECK(*plan_banks(machine_of(text, 513 * kMiB)) == Banks{256 * kMiB, 98 * kMiB, 98 * kMiB, 64 * kMiB});
  CHECK(*plan_banks(machine_of("2n3l1c1t nodes=1,2", 512 * kMiB)) == Banks{256 * kMiB, 256 * kMiB});
}

TEST_CASE("memory that is not what the nodes state, or leaves too little for the others, is refused") {
  const char* all = "2n1l1c1t nodes=1:256M,0:64M";
  CHECK(plan_banks(machine_of(all, 320 * kMiB)).has_value());
  CHECK(plan_banks(machine_of(all, 512 * kMiB)).error().message ==
        "the topology's nodes have 320M of memory in all, not 512M");
  const char* some = "2n2l1c1t nodes=1:256M,1";
  CHECK(plan_banks(machine_of(some, 272 * kMiB)).has_value());
  for (const std::uint64_t mib : {200, 256, 271}) {
    CAPTURE(mib);
    CHECK(plan_banks(machine_of(some, mib * kMiB)).error().code == ErrorCode::kInvalidArgument);
  }
  CHECK(plan_banks(machine_of(some, 258 * kMiB)).error().message ==
        "the topology's nodes state 256M of memory: 258M is too little for 1 more of 16M");
}

}  // namespace ktstr::vmm
