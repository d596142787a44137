#include <doctest/doctest.h>

#include "tests/vmm/page_walk.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm {
namespace {

constexpr std::string_view kCommon = "console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests norandmaps";

}  // namespace

TEST_CASE("an ELF kernel's boot parameters name the protocol and an unknown loader") {
  const auto params = elf_boot_params(false);
  CHECK(params.hdr.boot_flag == 0xaa55);
  CHECK(params.hdr.header == 0x53726448);
  CHECK(params.hdr.version == 0x020f);
  CHECK(params.hdr.type_of_loader == 0xff);
  CHECK(params.hdr.loadflags == LOADED_HIGH);
}

TEST_CASE("a kernel that was moved is told to randomize its memory areas") {
  CHECK(elf_boot_params(true).hdr.loadflags == (LOADED_HIGH | KASLR_FLAG));
}

TEST_CASE("the page tables map the first 4 GiB to themselves and nothing else, wherever they are") {
  for (const std::uint64_t at : {0x9000ULL, 0xbfff0000ULL}) {
    const auto tables = identity_map(GuestPhys(at));
    REQUIRE(tables.size() * sizeof(tables[0]) == kIdentityMapBytes);
    const auto read = [&](std::uint64_t place) { return tables.at((place - at) / sizeof(tables[0])); };
    for (std::uint64_t address = 0; address < test::kFourGiB; address += test::kLargePage)
      REQUIRE(test::walk(read, at, address + 0x1234) == address + 0x1234);
    for (const std::uint64_t outside : {1ULL << 32, 0x7fffffff0000ULL, 0xffffffff81000000ULL})
      CHECK_FALSE(test::walk(read, at, outside).has_value());
  }
}

TEST_CASE("the boot GDT's selectors lead to flat segments: 64-bit code and writable data") {
  const auto code = kBootGdt[kBootCs / 8], data = kBootGdt[kBootDs / 8];
  constexpr std::uint64_t kFlat = 0x000f00000000ffff, kLimitAndBase = 0xff0f00ffffffffff;
  CHECK((code & kLimitAndBase) == kFlat);
  CHECK((data & kLimitAndBase) == kFlat);
  CHECK((code >> 40 & 0xff) == 0x9b);  // present, code, execute/read, accessed
  CHECK((data >> 40 & 0xff) == 0x93);  // present, data, read/write, accessed
  CHECK((code >> 52 & 0xf) == 0xa);    // pages, long mode
  CHECK((data >> 52 & 0xf) == 0xc);    // pages, 32-bit
  CHECK(kBootGdt[0] == 0);
}

TEST_CASE("a kernel is asked for a console on the serial port and a reset after a panic") {
  CHECK(kernel_command_line({}, {}) == kCommon);
}

TEST_CASE("without KASLR the kernel is told so") {
  MachineConfig config;
  config.kaslr = false;
  CHECK(kernel_command_line(config, {}) == std::string(kCommon) + " nokaslr");
}

TEST_CASE("the configuration's arguments come last, so that they win over a backend's") {
  MachineConfig config;
  config.kernel_args = {"mitigations=auto", "a=b"};
  CHECK(kernel_command_line(config, " mitigations=off") ==
        std::string(kCommon) + " mitigations=off mitigations=auto a=b");
}

}  // namespace ktstr::vmm
