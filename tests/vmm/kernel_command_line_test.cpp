#include "vmm/kernel_command_line.h"

#include <doctest/doctest.h>

namespace ktstr::vmm {
namespace {

constexpr std::string_view kCommon = "console=ttyS0 quiet panic=-1 reboot=t cryptomgr.notests norandmaps";

}  // namespace

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
