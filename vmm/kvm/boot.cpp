#include "vmm/kvm/boot.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/mapped_file.h"
#include "vmm/apic_id.h"
#include "vmm/kvm/acpi/acpi_tables.h"
#include "vmm/kvm/layout.h"
#include "vmm/kvm/machine_ram.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm::kvm {
namespace {

Status load_acpi_tables(const Topology& topology, std::span<const RamPart> parts, const GuestMemory& memory) {
  auto config = acpi_config(topology);
  for (const auto& part : parts)
    config.nodes[part.bank].memory.push_back({part.region.base, part.region.bytes.size()});
  const auto tables = KTSTR_TRY(build_acpi_tables(config));
  const auto place = memory.slice(kAcpiTables, tables.size());
  if (!place) return invalid_argument("no memory for the ACPI tables");
  std::copy(tables.begin(), tables.end(), place->begin());
  return ok();
}

Result<LinuxEntry> load_kernel(const MachineConfig& config, std::span<const MemoryRegion> regions,
                               RamFiller filler) {
  const auto initramfs = KTSTR_TRY(MappedFile::open(config.initramfs));
  LinuxToLoad what{
      .kernel = {},
      .initramfs = initramfs.bytes(),
      .command_line = kernel_command_line(config, own_kernel_arguments(config.topology)),
      .kaslr = config.kaslr,
      .acpi_rsdp = kAcpiTables,
      .write = [&](GuestPhys at, std::span<const std::byte> bytes) { return filler.put(at, bytes); }};
  filler.add_source(initramfs);
  const auto elf = KTSTR_TRY(MappedFile::open(config.kernel_elf));
  what.kernel = elf.bytes();
  what.kernel_fd = elf.fd();
  filler.add_source(elf);
  auto entry = load_linux(regions, what);
  // A kernel that can't be moved here moves itself while it unpacks itself.
  if (!entry && entry.error().code == ErrorCode::kUnavailable && !config.kernel_bzimage.empty()) {
    const auto bzimage = KTSTR_TRY(MappedFile::open(config.kernel_bzimage));
    what.kernel = bzimage.bytes();
    what.kernel_fd = bzimage.fd();
    entry = load_linux(regions, what);
  }
  if (!entry) return std::move(entry.error()).with_context(config.kernel_elf.string());
  return *entry;
}

Error cannot(const Topology& topology, const std::string& why) {
  return invalid_argument("ktstr's own machine cannot express topology " + topology.to_string() + ": " + why);
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

AcpiConfig acpi_config(const Topology& topology) {
  AcpiConfig config;
  config.relations = topology.relations;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu) config.apic_ids.push_back(apic_id(topology, cpu));
  for (std::size_t node = 0; node < topology.nodes; ++node)
    config.nodes.push_back({topology.node_cpus(node), {}});
  return config;
}

std::string own_kernel_arguments(const Topology& topology) {
  if (largest_apic_id(topology) <= kLargestXapicId) return {};
  std::size_t last = 0;
  while (apic_id(topology, last + 1) <= kLargestXapicId) ++last;
  return fmt::format(" irqaffinity=0-{}", last);
}

Result<LinuxEntry> load_guest(const MachineConfig& config, GuestRam& ram, std::span<const RamPart> parts) {
  std::vector<MemoryRegion> regions;
  for (const auto& part : parts) regions.push_back(part.region);
  KTSTR_TRY(load_acpi_tables(config.topology, parts, GuestMemory(regions)));
  return load_kernel(config, regions, RamFiller(ram, parts));
}

Status check_topology(const Topology& topology) {
  if (topology.cpus() > kMostVcpus)
    return cannot(topology, fmt::format("{} CPUs, the most are {}", topology.cpus(), kMostVcpus));
  if (const auto tables = build_acpi_tables(with_some_memory(acpi_config(topology))); !tables)
    return cannot(topology, tables.error().message);
  return ok();
}

}  // namespace ktstr::vmm::kvm
