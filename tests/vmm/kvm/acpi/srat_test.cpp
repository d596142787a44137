#include "vmm/kvm/acpi/srat.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>

#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "tests/vmm/preset_topologies.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kFirstStructure = 48;

struct Affinities {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> cpus;                    ///< APIC id, domain
  std::vector<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> memory;  ///< base, bytes, domain

  friend bool operator==(const Affinities&, const Affinities&) = default;
};

Affinities affinities_of(const Bytes& table) {
  Affinities found;
  for (const auto& entry : structures_of(table, kFirstStructure)) {
    const auto type = number_at(entry, 0, 1);
    if (type == 0)
      found.cpus.emplace_back(number_at(entry, 3, 1), number_at(entry, 2, 1) | number_at(entry, 9, 3) << 8);
    if (type == 1)
      found.memory.emplace_back(number_at(entry, 8, 8), number_at(entry, 16, 8), number_at(entry, 2, 4));
    if (type == 2) found.cpus.emplace_back(number_at(entry, 8, 4), number_at(entry, 4, 4));
    const std::size_t flags_offset[] = {4, 28, 12};
    REQUIRE(type <= 2);
    CHECK(number_at(entry, flags_offset[type], 4) == 1);
  }
  return found;
}

Affinities affinities_of(const AcpiConfig& config) {
  Affinities wanted;
  for (std::size_t node = 0; node < config.nodes.size(); ++node) {
    for (const auto cpu : config.nodes[node].cpus.to_vector())
      wanted.cpus.emplace_back(config.apic_ids[cpu], node);
    for (const auto& range : config.nodes[node].memory)
      wanted.memory.emplace_back(range.base.value(), range.bytes, node);
  }
  return wanted;
}

}  // namespace

TEST_CASE("SRAT, of every preset with several nodes, has each CPU and each range of memory in its node") {
  for (const char* preset : test::kPresetTopologies) {
    CAPTURE(preset);
    const auto config = acpi_config_of(preset);
    const AcpiImage image(*build_acpi_tables(config));
    const bool several = config.nodes.size() > 1;
    CHECK(image.has("SRAT") == several);
    if (several) CHECK(affinities_of(image.tables.at("SRAT")) == affinities_of(config));
  }
}

TEST_CASE("nodes may differ in CPUs and memory, and lack CPUs") {
  const auto config = lopsided_config();
  const auto found = affinities_of(srat(config));
  CHECK(found == affinities_of(config));
  CHECK(found.cpus.back() == std::pair<std::uint64_t, std::uint64_t>{300, 1});
  CHECK(std::get<2>(found.memory.back()) == 2);
}

TEST_CASE("a domain above 255 fits both kinds of CPU affinity") {
  AcpiConfig config;
  for (std::uint32_t node = 0; node < 257; ++node) {
    config.apic_ids.push_back(node);
    config.nodes.push_back({CpuSet{node}, {}});
  }
  config.apic_ids[256] = 1000;
  std::swap(config.nodes[256], config.nodes[1]);
  CHECK(affinities_of(srat(config)) == affinities_of(config));
}

}  // namespace ktstr::vmm::kvm
