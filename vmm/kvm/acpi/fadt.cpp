#include "vmm/kvm/acpi/fadt.h"

#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {
namespace {

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

}  // namespace

Bytes fadt(GuestPhys dsdt) {
  FadtBody body;
  body.x_dsdt = dsdt.value();
  Table table("FACP", kFadtRevision);
  table.add(body);
  return std::move(table).finish();
}

}  // namespace ktstr::vmm::kvm
