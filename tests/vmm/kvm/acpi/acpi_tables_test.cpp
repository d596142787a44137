#include "vmm/kvm/acpi/acpi_tables.h"

#include <doctest/doctest.h>

#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "tests/vmm/preset_topologies.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

using Names = std::vector<std::string>;

AcpiConfig one_cpu_per_node(std::size_t nodes) {
  return acpi_config_of((std::to_string(nodes) + "n" + std::to_string(nodes) + "l1c1t").c_str());
}

}  // namespace

TEST_CASE("the tables of every preset fit, and NUMA's are there with several nodes only") {
  for (const char* preset : ktstr::test::kPresetTopologies) {
    CAPTURE(preset);
    const auto config = acpi_config_of(preset);
    const auto image = build_acpi_tables(config);
    REQUIRE(image.has_value());
    CHECK(image->size() <= kAcpiTablesBytes);
    CHECK(AcpiImage(*image).order ==
          (config.nodes.size() > 1 ? Names{"FACP", "APIC", "SRAT", "SLIT", "HMAT"} : Names{"FACP", "APIC"}));
  }
}

TEST_CASE("64 nodes fit, and more than fits is refused with its size") {
  CHECK(build_acpi_tables(one_cpu_per_node(64)).has_value());
  const auto image = build_acpi_tables(one_cpu_per_node(252));
  REQUIRE_FALSE(image.has_value());
  CHECK(image.error().code == ErrorCode::kInvalidArgument);
  CHECK(image.error().message.starts_with("ACPI tables of 252 CPUs in 252 nodes have "));
  CHECK(image.error().message.ends_with(" bytes, the most are 131072"));
}

TEST_CASE("what the tables can't tell is refused before they are built") {
  CHECK(build_acpi_tables({}).error().message == "a machine needs a CPU");
}

}  // namespace ktstr::vmm::kvm
