#include "vmm/kvm/acpi/fixed_tables.h"

#include "vmm/apic_id.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kXsdtRevision = 1;

struct [[gnu::packed]] Rsdp {
  char signature[8] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
  std::uint8_t checksum = 0;  ///< of the first kFirstPart bytes
  char oem_id[6] = {'K', 'T', 'S', 'T', 'R', ' '};
  std::uint8_t revision = 2;
  std::uint32_t rsdt = 0;
  std::uint32_t length = kRsdpBytes;
  std::uint64_t xsdt = 0;
  std::uint8_t extended_checksum = 0;  ///< of all
  std::uint8_t reserved[3] = {};
};
static_assert(sizeof(Rsdp) == kRsdpBytes);

constexpr std::size_t kFirstPart = offsetof(Rsdp, length);
static_assert(kFirstPart == 20);

constexpr std::uint8_t kFadtRevision = 6;
constexpr std::uint8_t kMinorRevision = 5;

// Fixed feature flags (ACPI 6.5, table 5.10).
constexpr std::uint32_t kWbinvd = 1 << 0;
constexpr std::uint32_t kC1OnAllProcessors = 1 << 2;
constexpr std::uint32_t kNoFixedPowerButton = 1 << 4;
constexpr std::uint32_t kNoFixedSleepButton = 1 << 5;
constexpr std::uint32_t kResetRegister = 1 << 10;
constexpr std::uint32_t kHardwareReduced = 1 << 20;

// IA-PC boot architecture flags (5.2.9.3). Clear: legacy devices, and an 8042 keyboard controller.
constexpr std::uint16_t kNoVga = 1 << 2;
constexpr std::uint16_t kNoCmosRtc = 1 << 5;

/// What follows the header. Reserved on a hardware-reduced machine, and left 0: all of the fixed hardware.
struct [[gnu::packed]] FadtBody {
  std::uint32_t facs = 0;
  std::uint32_t dsdt = 0;
  std::uint8_t reserved = 0;
  std::uint8_t preferred_profile = 0;
  std::uint8_t fixed_hardware[109 - 46] = {};
  std::uint16_t boot_flags = kNoVga | kNoCmosRtc;
  std::uint8_t reserved_too = 0;
  std::uint32_t flags = kWbinvd | kC1OnAllProcessors | kNoFixedPowerButton | kNoFixedSleepButton |
                        kResetRegister | kHardwareReduced;
  GenericAddress reset_register = GenericAddress::byte_port(kResetPort);
  std::uint8_t reset_value = kResetValue;
  std::uint16_t arm_boot_flags = 0;
  std::uint8_t minor_revision = kMinorRevision;
  std::uint64_t x_facs = 0;
  std::uint64_t x_dsdt = 0;
  GenericAddress x_fixed_hardware[8] = {};
  GenericAddress sleep_control = GenericAddress::byte_port(kSleepControlPort);
  GenericAddress sleep_status = GenericAddress::byte_port(kSleepStatusPort);
  char hypervisor_vendor[8] = {'K', 'T', 'S', 'T', 'R'};
};
static_assert(sizeof(TableHeader) + sizeof(FadtBody) == 276);
static_assert(sizeof(TableHeader) + offsetof(FadtBody, boot_flags) == 109);
static_assert(sizeof(TableHeader) + offsetof(FadtBody, x_dsdt) == 140);
static_assert(sizeof(TableHeader) + offsetof(FadtBody, sleep_control) == 244);

constexpr std::uint8_t kMadtRevision = 6;
constexpr std::uint8_t kIoApicId = 0;  // what the I/O APIC's own register reads after reset
constexpr std::uint32_t kApicEnabled = 1;

struct [[gnu::packed]] MadtStart {
  std::uint32_t local_apic = static_cast<std::uint32_t>(kLocalApic.value());
  std::uint32_t flags = 0;  // PCAT_COMPAT is clear: there is no pair of 8259
};
static_assert(sizeof(MadtStart) == 8);

struct [[gnu::packed]] IoApicEntry {
  std::uint8_t type = 1;
  std::uint8_t length = 12;
  std::uint8_t id = kIoApicId;
  std::uint8_t reserved = 0;
  std::uint32_t address = static_cast<std::uint32_t>(kIoApic.value());
  std::uint32_t first_gsi = 0;
};
static_assert(sizeof(IoApicEntry) == 12);

struct [[gnu::packed]] LocalApicEntry {
  std::uint8_t type = 0;
  std::uint8_t length = 8;
  std::uint8_t processor_uid = 0;
  std::uint8_t apic_id = 0;
  std::uint32_t flags = kApicEnabled;
};
static_assert(sizeof(LocalApicEntry) == 8);

struct [[gnu::packed]] LocalX2ApicEntry {
  std::uint8_t type = 9;
  std::uint8_t length = 16;
  std::uint16_t reserved = 0;
  std::uint32_t x2apic_id = 0;
  std::uint32_t flags = kApicEnabled;
  std::uint32_t processor_uid = 0;
};
static_assert(sizeof(LocalX2ApicEntry) == 16);

void add_local_apic(Table& table, std::uint32_t cpu, std::uint32_t apic_id) {
  if (apic_id <= kLargestXapicId)
    table.add(LocalApicEntry{.processor_uid = static_cast<std::uint8_t>(cpu),
                             .apic_id = static_cast<std::uint8_t>(apic_id)});
  else
    table.add(LocalX2ApicEntry{.x2apic_id = apic_id, .processor_uid = cpu});
}

}  // namespace

Bytes rsdp(GuestPhys xsdt) {
  Rsdp pointer;
  pointer.xsdt = xsdt.value();
  const auto bytes = std::as_bytes(std::span(&pointer, 1));
  pointer.checksum = checksum(bytes.first(kFirstPart));
  pointer.extended_checksum = checksum(bytes);
  return {bytes.begin(), bytes.end()};
}

Bytes xsdt(std::span<const GuestPhys> tables) {
  Table table("XSDT", kXsdtRevision);
  for (const auto address : tables) table.add(address.value());
  return std::move(table).finish();
}

Bytes fadt(GuestPhys dsdt) {
  Table table("FACP", kFadtRevision);
  table.add(FadtBody{.x_dsdt = dsdt.value()});
  return std::move(table).finish();
}

Bytes madt(std::span<const std::uint32_t> apic_ids) {
  Table table("APIC", kMadtRevision);
  table.add(MadtStart{});
  for (std::uint32_t cpu = 0; cpu < apic_ids.size(); ++cpu) add_local_apic(table, cpu, apic_ids[cpu]);
  table.add(IoApicEntry{});
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
