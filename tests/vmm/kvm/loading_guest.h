// RAM that kernels are loaded into, and what is found in it afterwards.
#pragma once

#include <asm/bootparam.h>
#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/vmm/mebibyte.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/layout.h"
#include "vmm/kvm/loader.h"
#include "vmm/kvm/machine_ram.h"

namespace ktstr::vmm::kvm::test {

class LoadingGuest {
 public:
  explicit LoadingGuest(std::vector<std::uint64_t> banks = {64 * kMiB}) : ram_(*GuestRam::create(banks)) {
    std::vector<std::span<std::byte>> bytes;
    for (std::size_t bank = 0; bank < ram_.bank_count(); ++bank) bytes.push_back(ram_.bytes(bank));
    for (const auto& part : lay_out_ram(bytes)) regions.push_back(part.region);
  }

  [[nodiscard]] Result<LinuxEntry> load(std::span<const std::byte> kernel) {
    what.kernel = kernel;
    return load_linux(regions, what);
  }
  /// Loads what can't be loaded.
  [[nodiscard]] Error refusal(std::span<const std::byte> kernel) {
    auto entry = load(kernel);
    REQUIRE_FALSE(entry.has_value());
    return entry.error();
  }

  [[nodiscard]] std::span<std::byte> bytes(GuestPhys at, std::uint64_t count) const {
    const auto found = GuestMemory(regions).slice(at, count);
    REQUIRE(found.has_value());
    return *found;
  }
  template <class T>
  [[nodiscard]] T read(GuestPhys at) const {
    T value;
    std::memcpy(&value, bytes(at, sizeof(value)).data(), sizeof(value));
    return value;
  }
  [[nodiscard]] boot_params params() const { return read<boot_params>(kBootParams); }

  std::vector<MemoryRegion> regions;
  LinuxToLoad what{.kernel = {},
                   .kernel_fd = -1,
                   .initramfs = {},
                   .command_line = "quiet panic=-1",
                   .kaslr = false,
                   .acpi_rsdp = kAcpiTables,
                   .write = {}};

 private:
  GuestRam ram_;
};

}  // namespace ktstr::vmm::kvm::test
