#include "vmm/qemu/machine_plan.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "vmm/qemu/version.h"

namespace ktstr::vmm::qemu {
namespace {

std::string why_not(const char* topology, Accelerator accelerator = Accelerator::kTcg) {
  const auto status = check_topology(*Topology::parse(topology), accelerator);
  return status ? std::string() : status.error().message;
}

}  // namespace

TEST_CASE("APIC ids above 254 need a QEMU that emulates x2APIC; another is named with its limit") {
  CHECK(why_not("1n15l8c2t").empty());
  const auto version = installed_version();
  const auto why = why_not("1n14l9c2t");
  if (!version)
    CHECK(why == "topology 1n14l9c2t: " + version.error().message);
  else if (*version >= QemuVersion{9, 0})
    CHECK(why.empty());
  else
    CHECK(why == fmt::format("QEMU cannot express topology 1n14l9c2t: its last CPU would have APIC id 433, "
                             "the largest of QEMU {}.{} is 254; 9.0 and newer have more",
                             version->major, version->minor));
}

TEST_CASE("with KVM, QEMU is given no larger ids") {
  CHECK(why_not("1n14l9c2t", Accelerator::kKvm) ==
        "QEMU cannot express topology 1n14l9c2t: its last CPU would have APIC id 433, "
        "the largest with KVM is 254");
}

TEST_CASE("QEMU's version is what it says first, or not known") {
  CHECK(parse_version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\n") == QemuVersion{7, 2});
  CHECK(parse_version("QEMU emulator version 10.0.2") == QemuVersion{10, 0});
  CHECK(QemuVersion{10, 0} > kFirstWithX2apic);
  CHECK(QemuVersion{8, 2} < kFirstWithX2apic);
  for (const char* text : {"", "QEMU emulator version ", "QEMU emulator version 9",
                           "QEMU emulator version 9.", "QEMU emulator version x.1", "qemu 9.1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_version(text).has_value());
  }
}

}  // namespace ktstr::vmm::qemu
