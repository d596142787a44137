#include "vmm/kvm/machine_limits.h"

#include <fmt/format.h>

#include "vmm/kvm/acpi/acpi_tables.h"
#include "vmm/kvm/boot.h"

namespace ktstr::vmm::kvm {
namespace {

Error cannot(const Topology& topology, const std::string& why) {
  return {ErrorCode::kInvalidArgument,
          "ktstr's own machine cannot express topology " + topology.to_string() + ": " + why};
}

/// The tables' size does not depend on where memory lies, only on how many pieces there are: one for each
/// node, and two more where the first is divided by the holes of a PC.
AcpiConfig with_some_memory(AcpiConfig config) {
  constexpr std::uint64_t kPiece = std::uint64_t{1} << 30;
  std::uint64_t base = 0;
  const auto add = [&](NumaNode& node) { node.memory.push_back({GuestPhys{base++ * kPiece}, kPiece}); };
  for (auto& node : config.nodes) add(node);
  for (int more = 0; more < 2; ++more) add(config.nodes.front());
  return config;
}

}  // namespace

Status check_topology(const Topology& topology) {
  if (topology.cpus() > kMostVcpus)
    return cannot(topology, fmt::format("{} CPUs, the most are {}", topology.cpus(), kMostVcpus));
  if (const auto tables = build_acpi_tables(with_some_memory(acpi_config(topology))); !tables)
    return cannot(topology, tables.error().message);
  return ok();
}

}  // namespace ktstr::vmm::kvm
