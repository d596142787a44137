#include <doctest/doctest.h>

#include "tests/skip.h"
#include "vmm/backend.h"

namespace ktstr::vmm {
namespace {

Status expressed(Backend backend, const char* topology) {
  return expressible(backend, *Topology::parse(topology));
}

std::string why_not(Backend backend, const char* topology) {
  const auto status = expressed(backend, topology);
  return status ? std::string() : status.error().message;
}

}  // namespace

TEST_CASE("a backend that needs KVM says at once why this host's KVM does not do") {
  const auto reason = why_not_kvm();
  if (!reason) SKIP_TEST("this host's KVM boots kernels");
  for (const auto backend : {Backend::kKvm, Backend::kQemuKvm}) {
    const auto refused = start_machine({}, backend);  // its files are not looked at
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::kUnavailable);
    CHECK(refused.error().message == "backend " + std::string(enum_name(backend)) +
                                         " does not work on this host: " + *reason +
                                         "; --backend qemu emulates a machine");
  }
}

TEST_CASE("every backend makes a small machine") {
  for (const auto backend : {Backend::kAuto, Backend::kKvm, Backend::kQemu, Backend::kQemuKvm})
    CHECK(expressed(backend, "2n4l2c2t").has_value());
}

TEST_CASE("every backend's limit is named") {
  CHECK(why_not(Backend::kQemuKvm, "2n32l4c2t") ==
        "QEMU cannot express topology 2n32l4c2t: its last CPU would have APIC id 255, "
        "the largest with KVM is 254");
  CHECK(why_not(Backend::kQemu, "129n129l1c1t") ==
        "QEMU cannot express topology 129n129l1c1t: 129 NUMA nodes, the most are 128");
  CHECK(why_not(Backend::kKvm, "1n8192l1c1t") ==
        "ktstr's own machine cannot express topology 1n8192l1c1t: 8192 CPUs, the most are 4096");
  CHECK(why_not(Backend::kKvm, "1n1000l2c2t").empty());
  CHECK(why_not(Backend::kKvm, "1n14l17c17t").empty());  // 4046 CPUs, the last has APIC id 13840
}

TEST_CASE("ACPI tables that do not fit are a limit of our own machine") {
  const auto why = why_not(Backend::kKvm, "999n999l1c1t");
  CHECK(why.starts_with(
      "ktstr's own machine cannot express topology 999n999l1c1t: ACPI tables of 999 CPUs in 999 nodes"));
}

TEST_CASE("a topology that no backend makes is refused with the limit of each") {
  const auto why = why_not(Backend::kAuto, "999n999l1c1t");
  CHECK(why == why_not(Backend::kQemu, "999n999l1c1t") + "; " + why_not(Backend::kKvm, "999n999l1c1t"));
}

TEST_CASE("what only our own machine makes hangs on this host's KVM") {
  const auto no_kvm = why_not_kvm();
  const auto why = why_not(Backend::kAuto, "129n129l1c1t");
  CHECK(why == (no_kvm ? why_not(Backend::kQemu, "129n129l1c1t") +
                             "; ktstr's own machine could, but not on this host: " + *no_kvm
                       : std::string()));
}

}  // namespace ktstr::vmm
