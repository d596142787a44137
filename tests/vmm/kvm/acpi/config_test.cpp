#include "vmm/kvm/acpi/config.h"

#include <doctest/doctest.h>

#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

std::string complaint_about(const AcpiConfig& config) {
  const auto status = check_acpi_config(config);
  if (status) return "";
  CHECK(status.error().code == ErrorCode::kInvalidArgument);
  return status.error().message;
}

}  // namespace

TEST_CASE("nodes that differ in size, and memory without CPUs, are fine") {
  CHECK(complaint_about(lopsided_config()) == "");
  CHECK(complaint_about({{0, 1}, {}, {}}) == "");
}

TEST_CASE("CPUs must be there, and their APIC ids ascend") {
  CHECK(complaint_about({}) == "a machine needs a CPU");
  CHECK(complaint_about({{0, 2, 1}, {}, {}}) == "APIC ids must ascend: 2 comes before 1");
  CHECK(complaint_about({{0, 0}, {}, {}}) == "APIC ids must ascend: 0 comes before 0");
}

TEST_CASE("every CPU is in exactly one node") {
  auto config = acpi_config_of("2n2l2c1t");
  config.nodes[1].cpus = {2};
  CHECK(complaint_about(config) == "the nodes have CPUs 0-2, the machine 0-3");
  config.nodes[1].cpus = {1, 2, 3};
  CHECK(complaint_about(config) == "CPUs 1 are in two nodes");
  config.nodes[1].cpus = {2, 3, 4};
  CHECK(complaint_about(config) == "the nodes have CPUs 0-4, the machine 0-3");
}

TEST_CASE("a node that Linux would not see, or number differently, is refused") {
  auto config = lopsided_config();
  config.nodes[2].memory.clear();
  CHECK(complaint_about(config) == "node 2 has neither CPUs nor memory");
  config = lopsided_config();
  std::swap(config.nodes[1], config.nodes[2]);
  CHECK(complaint_about(config) ==
        "node 2 has CPUs and comes after one that has none: Linux numbers those with CPUs first");
}

TEST_CASE("memory that is empty or wraps is refused") {
  auto config = lopsided_config();
  config.nodes[1].memory = {{kHighRam, 0}};
  CHECK(complaint_about(config) == "node 1 has no memory at 0x100000000");
  config.nodes[1].memory = {{GuestPhys{UINT64_MAX}, 2}};
  CHECK(complaint_about(config) == "node 1 has no memory at 0xffffffffffffffff");
}

TEST_CASE("relations that do not fit the nodes are refused") {
  auto config = acpi_config_of("2n2l1c1t");
  config.relations.distances = {{10, 20}};
  CHECK(complaint_about(config) == "distances: must be 2 rows of 2, one for each node");
  config.relations = {{}, {{100}, {100}}, {}};
  CHECK(complaint_about(config) ==
        "latency_ns: must be 2 rows of 2, a row for each node with CPUs and a column for each");
}

}  // namespace ktstr::vmm::kvm
