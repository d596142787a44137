#include "vmm/linux_boot.h"

#include <fmt/format.h>

namespace ktstr::vmm {
namespace {

constexpr std::uint16_t kBootProtocol = 0x020f;  // the version of the header that we fill in
constexpr std::uint8_t kUnknownLoader = 0xff;
constexpr std::uint64_t kSmallPage = 4096, kLargePage = 2 * 1024 * 1024, kTableEntries = 512;
constexpr std::uint64_t kTableFlags = 0x03, kLargePageFlags = 0x83;  // present, writable (and PS)

}  // namespace

boot_params elf_boot_params(bool randomized) {
  boot_params params{};
  params.hdr.boot_flag = 0xaa55;
  params.hdr.header = 0x53726448;  // "HdrS"
  params.hdr.version = kBootProtocol;
  params.hdr.type_of_loader = kUnknownLoader;
  params.hdr.loadflags = LOADED_HIGH;
  if (randomized) params.hdr.loadflags |= KASLR_FLAG;
  return params;
}

std::vector<std::uint64_t> identity_map(GuestPhys at) {
  const auto pdpt = at.value() + kSmallPage, directories = pdpt + kSmallPage;
  std::vector<std::uint64_t> entries(kIdentityMapBytes / sizeof(std::uint64_t));
  entries[0] = pdpt | kTableFlags;
  for (std::uint64_t gib = 0; gib < 4; ++gib)
    entries[kTableEntries + gib] = (directories + gib * kSmallPage) | kTableFlags;
  for (std::uint64_t page = 0; page < 4 * kTableEntries; ++page)
    entries[2 * kTableEntries + page] = page * kLargePage | kLargePageFlags;
  return entries;
}

std::string kernel_command_line(const MachineConfig& config, std::string_view backends_own) {
  std::string line = "console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests norandmaps";
  line += backends_own;
  if (!config.kaslr) line += " nokaslr";
  for (const auto& argument : config.kernel_args) line += " " + argument;
  return line;
}

Status check_command_line(const MachineConfig& config) {
  constexpr std::size_t kMostBackendsOwn = 64;
  const auto length = kernel_command_line(config, std::string(kMostBackendsOwn, ' ')).size();
  if (length < kMostCommandLine) return ok();
  return invalid_argument(fmt::format("the kernel's command line would have {} bytes, and Linux takes {}",
                                      length, kMostCommandLine - 1));
}

}  // namespace ktstr::vmm
