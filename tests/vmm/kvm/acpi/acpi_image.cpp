#include "tests/vmm/kvm/acpi/acpi_image.h"

#include <doctest/doctest.h>

#include <numeric>

#include "vmm/apic_id.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::size_t kHeaderBytes = 36;
constexpr std::uint64_t kGiB = 1024 * 1024 * 1024;

std::string text_at(const Bytes& bytes, std::size_t offset, std::size_t size) {
  REQUIRE(offset + size <= bytes.size());
  return {reinterpret_cast<const char*>(bytes.data()) + offset, size};
}

unsigned sum_of(const Bytes& bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), 0U,
                         [](unsigned sum, std::byte byte) { return (sum + unsigned(byte)) & 0xff; });
}

Bytes slice_of(const Bytes& image, std::size_t offset, std::size_t size) {
  REQUIRE(offset + size <= image.size());
  const auto first = image.begin() + static_cast<std::ptrdiff_t>(offset);
  return {first, first + static_cast<std::ptrdiff_t>(size)};
}

Bytes table_at(const Bytes& image, std::uint64_t address) {
  REQUIRE(address >= kAcpiTables.value());
  const auto offset = address - kAcpiTables.value();
  const auto length = number_at(image, offset + 4, 4);
  REQUIRE(length >= kHeaderBytes);
  auto table = slice_of(image, offset, length);
  CHECK(sum_of(table) == 0);
  return table;
}

}  // namespace

std::uint64_t number_at(const Bytes& bytes, std::size_t offset, std::size_t size) {
  REQUIRE(offset + size <= bytes.size());
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data() + offset, size);
  return value;
}

AcpiImage::AcpiImage(const Bytes& image) {
  REQUIRE(text_at(image, 0, 8) == "RSD PTR ");
  CHECK(sum_of(slice_of(image, 0, 20)) == 0);
  CHECK(number_at(image, 15, 1) == 2);   // revision
  CHECK(number_at(image, 20, 4) == 36);  // length
  CHECK(sum_of(slice_of(image, 0, 36)) == 0);
  const auto xsdt = table_at(image, number_at(image, 24, 8));
  REQUIRE(text_at(xsdt, 0, 4) == "XSDT");
  for (std::size_t offset = kHeaderBytes; offset < xsdt.size(); offset += 8) {
    const auto table = table_at(image, number_at(xsdt, offset, 8));
    order.push_back(text_at(table, 0, 4));
    tables[order.back()] = table;
  }
  REQUIRE(has("FACP"));
  tables["DSDT"] = table_at(image, number_at(tables["FACP"], 140, 8));
  REQUIRE(text_at(tables["DSDT"], 0, 4) == "DSDT");
}

std::vector<Bytes> structures_of(const Bytes& table, std::size_t start) {
  std::vector<Bytes> found;
  for (std::size_t offset = start; offset < table.size(); offset += found.back().size()) {
    const auto length = number_at(table, offset + 1, 1);
    REQUIRE(length >= 2);
    found.push_back(slice_of(table, offset, length));
  }
  return found;
}

AcpiConfig acpi_config_of(const char* text) {
  const auto topology = *Topology::parse(text);
  AcpiConfig config;
  config.relations = topology.relations;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu) config.apic_ids.push_back(apic_id(topology, cpu));
  for (std::size_t node = 0; node < topology.nodes; ++node)
    config.nodes.push_back({topology.node_cpus(node), {{kHighRam + node * kGiB, kGiB}}});
  return config;
}

AcpiConfig lopsided_config() {
  AcpiConfig config;
  config.apic_ids = {0, 1, 2, 300};
  config.nodes = {{{0, 1, 2}, {{GuestPhys{0}, 0xa0000}, {kHighMemory, kGiB}}},
                  {{3}, {{kHighRam, kGiB}}},
                  {{}, {{kHighRam + kGiB, 4 * kGiB}}}};
  config.relations.distances = {{10, 21, 40}, {21, 10, 14}, {40, 14, 10}};
  return config;
}

}  // namespace ktstr::vmm::kvm
