#include <doctest/doctest.h>

#include <algorithm>
#include <tuple>

#include "tests/vmm/kvm/acpi/acpi_image.h"
#include "tests/vmm/preset_topologies.h"
#include "vmm/kvm/acpi/numa_tables.h"

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

using Numbers = std::vector<std::uint64_t>;

/// One latency or bandwidth structure, values in its unit.
struct Matrix {
  std::uint64_t data_type = 0, unit = 0;
  Numbers initiators, targets, entries;
};

struct Attributes {
  Numbers nearest;  ///< initiator of each memory domain, by structure
  Numbers memory;
  std::vector<Matrix> matrices;
};

Numbers numbers_at(const Bytes& bytes, std::size_t offset, std::size_t count, std::size_t size) {
  Numbers numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(number_at(bytes, offset + i * size, size));
  return numbers;
}

Matrix matrix_at(const Bytes& table, std::size_t offset) {
  const auto initiators = number_at(table, offset + 12, 4), targets = number_at(table, offset + 16, 4);
  const auto lists = offset + 32, entries = lists + 4 * (initiators + targets);
  CHECK(number_at(table, offset + 4, 4) == entries + 2 * initiators * targets - offset);
  return {number_at(table, offset + 9, 1), number_at(table, offset + 24, 8),
          numbers_at(table, lists, initiators, 4), numbers_at(table, lists + 4 * initiators, targets, 4),
          numbers_at(table, entries, initiators * targets, 2)};
}

Attributes attributes_of(const Bytes& table) {
  Attributes found;
  for (std::size_t offset = 40; offset < table.size(); offset += number_at(table, offset + 4, 4)) {
    if (number_at(table, offset, 2) == 1) {
      found.matrices.push_back(matrix_at(table, offset));
    } else {
      CHECK(number_at(table, offset + 8, 2) == 1);  // the initiator is valid
      found.nearest.push_back(number_at(table, offset + 12, 4));
      found.memory.push_back(number_at(table, offset + 16, 4));
    }
  }
  return found;
}

}  // namespace

TEST_CASE("SRAT, of every preset with several nodes, has each CPU and each range of memory in its node") {
  for (const char* preset : ktstr::test::kPresetTopologies) {
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

TEST_CASE("SLIT has the distances, 10 and 20 unless told") {
  CHECK(numbers_at(slit(lopsided_config()), 44, 9, 1) == Numbers{10, 21, 40, 21, 10, 14, 40, 14, 10});
  const auto table = slit(acpi_config_of("2n2l1c1t"));
  CHECK(number_at(table, 36, 8) == 2);
  CHECK(numbers_at(table, 44, 4, 1) == Numbers{10, 20, 20, 10});
}

TEST_CASE("HMAT tells each memory's nearest CPUs: its own, or else those at the least distance") {
  const auto found = attributes_of(hmat(lopsided_config()));
  CHECK(found.memory == Numbers{0, 1, 2});
  CHECK(found.nearest == Numbers{0, 1, 1});
}

TEST_CASE("HMAT's latencies are distances and its bandwidths fall with them, from CPUs to memory only") {
  const auto found = attributes_of(hmat(lopsided_config()));
  REQUIRE(found.matrices.size() == 2);
  for (const auto& matrix : found.matrices) {
    CHECK(matrix.initiators == Numbers{0, 1});
    CHECK(matrix.targets == Numbers{0, 1, 2});
  }
  const auto &latency = found.matrices[0], &bandwidth = found.matrices[1];
  CHECK(latency.data_type == 0);
  CHECK(latency.unit == 1'000);
  CHECK(latency.entries == Numbers{100, 210, 400, 210, 100, 140});
  CHECK(bandwidth.data_type == 3);
  CHECK(bandwidth.unit == 1);
  CHECK(bandwidth.entries == Numbers{20000, 9523, 5000, 9523, 20000, 14285});
}

TEST_CASE("HMAT has the latencies and bandwidths that a topology states") {
  const auto found =
      attributes_of(hmat(acpi_config_of("3n2l1c1t nodes=1,1,0:64M latency_ns=90,140,400/140,91,65534 "
                                        "bandwidth_mb_per_s=65534,2,3/4,5,6")));
  CHECK(found.nearest == Numbers{0, 1, 0});
  CHECK(found.matrices[0].entries == Numbers{90, 140, 400, 140, 91, 65534});
  CHECK(found.matrices[1].entries == Numbers{65534, 2, 3, 4, 5, 6});
}

TEST_CASE("a node without memory is no target of HMAT") {
  auto config = acpi_config_of("2n2l1c1t");
  config.nodes[0].memory.clear();
  const auto found = attributes_of(hmat(config));
  CHECK(found.memory == Numbers{1});
  CHECK(found.matrices[0].initiators == Numbers{0, 1});
  CHECK(found.matrices[0].entries == Numbers{200, 100});
}

}  // namespace ktstr::vmm::kvm
