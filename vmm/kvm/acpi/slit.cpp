#include "vmm/kvm/acpi/slit.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kSlitRevision = 1;

}  // namespace

Bytes slit(const AcpiConfig& config) {
  const std::uint64_t nodes = config.nodes.size();
  Table table("SLIT", kSlitRevision);
  table.add(nodes);
  for (std::size_t from = 0; from < nodes; ++from)
    for (std::size_t to = 0; to < nodes; ++to)
      table.add(static_cast<std::uint8_t>(config.relations.distance(from, to)));
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
