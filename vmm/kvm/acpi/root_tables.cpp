#include "vmm/kvm/acpi/root_tables.h"

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

}  // namespace ktstr::vmm::kvm
