#include "vmm/kvm/cpuid.h"

#include <asm/kvm_para.h>
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vmm/kvm/linux_topology.h"
#include "tests/vmm/preset_topologies.h"
#include "vmm/apic_id.h"

namespace ktstr::vmm::kvm {
namespace {

Cpuid guest_of(const char* host, const char* topology, std::size_t cpu = 0,
               const CpuidOptions& options = {}) {
  return Cpuid(guest_cpuid(test_host(host), *Topology::parse(topology), cpu, options));
}

LinuxTopology linux_topology_of(const CpuidEntries& supported, const Topology& topology) {
  LinuxTopology found;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu)
    found.cpus.emplace_back(guest_cpuid(supported, topology, cpu), apic_id(topology, cpu));
  return found;
}

void check_topology(const CpuidEntries& supported, const char* text) {
  CAPTURE(text);
  const auto topology = *Topology::parse(text);
  const auto found = linux_topology_of(supported, topology);
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu) {
    CAPTURE(cpu);
    const auto core = topology.core_cpus(cpu), llc = topology.llc_cpus(cpu / topology.cpus_per_llc());
    CHECK(found.cpus[cpu].complaints == std::vector<std::string>{});
    CHECK(found.thread_siblings(cpu) == core);
    CHECK(found.package_cpus(cpu) == llc);
    CHECK(found.cache_cpus(cpu, 0) == core);
    CHECK(found.cache_cpus(cpu, 1) == core);
    CHECK(found.cache_cpus(cpu, 2) == core);
    CHECK(found.cache_cpus(cpu, 3) == llc);
    CHECK(found.cpus[cpu].shifts == found.cpus[0].shifts);
  }
}

}  // namespace

TEST_CASE("Linux draws every preset's cores, packages and L3s from the CPUID of every host") {
  for (const auto& host : test_hosts()) {
    CAPTURE(host.name);
    for (const char* preset : ktstr::test::kPresetTopologies) check_topology(host.supported, preset);
  }
}

TEST_CASE("Linux draws levels that are no powers of two, or have one member, from the CPUID of every host") {
  for (const auto& host : test_hosts()) {
    CAPTURE(host.name);
    for (const char* text : {"1n1l1c1t", "1n4l1c1t", "1n3l1c2t", "1n3l5c3t", "2n6l3c4t", "1n1l64c2t",
                             "1n255l1c1t", "3n4l3c2t nodes=3,1,0:64M"})
      check_topology(host.supported, text);
  }
}

TEST_CASE("Linux counts a core's threads and a package's CPUs") {
  const LinuxCpu cpu(guest_cpuid(test_host("Intel"), *Topology::parse("1n2l3c2t"), 7), 9);
  CHECK(cpu.counts[LinuxCpu::kSmt] == 2);
  CHECK(cpu.counts[LinuxCpu::kTopDomain] == 6);
}

TEST_CASE("a host's vendor, features and name stay") {
  for (const auto& host : test_hosts()) {
    CAPTURE(host.name);
    const Cpuid before(host.supported), after(guest_cpuid(host.supported, *Topology::parse("1n2l4c2t"), 3));
    CHECK(after(0).ebx == before(0).ebx);
    CHECK(after(1).eax == before(1).eax);
    CHECK((after(1).ecx & before(1).ecx) == before(1).ecx);
    CHECK((after(1).edx & before(1).edx) == before(1).edx);
    CHECK(after(7).ebx == before(7).ebx);
    CHECK(after(0xa).eax == before(0xa).eax);
    CHECK(after(0xd).ebx == before(0xd).ebx);
    CHECK(after(0x80000001).edx == before(0x80000001).edx);
    CHECK(after(0x80000002).eax == before(0x80000002).eax);
    CHECK(after(0x80000008).eax == before(0x80000008).eax);
    CHECK(after(0x80000008).ebx == before(0x80000008).ebx);
  }
}

TEST_CASE("leaf 1 has the features that KVM's local APIC brings, and the sizes of a package") {
  const auto intel = guest_of("Intel", "1n14l9c2t", 251)(1), amd = guest_of("AMD Zen 4", "1n14l9c2t", 251)(1);
  constexpr std::uint32_t kX2Apic = 1U << 21, kDeadline = 1U << 24, kHypervisor = 1U << 31, kHtt = 1U << 28;
  CHECK((intel.ecx & (kX2Apic | kDeadline | kHypervisor)) == (kX2Apic | kDeadline | kHypervisor));
  CHECK((intel.ebx >> 24) == (433 & 0xff));
  CHECK((intel.ebx >> 16 & 0xff) == 32);
  CHECK((amd.ebx >> 16 & 0xff) == 18);
  CHECK((intel.ebx & 0xffff) == 0x0800);  // CLFLUSH's line stays the host's
  CHECK((intel.edx & kHtt) != 0);
  CHECK((guest_of("Intel", "1n2l1c1t")(1).edx & kHtt) == 0);
}

TEST_CASE("an LLC has 16 MiB on every host") {
  for (const auto& host : test_hosts()) {
    CAPTURE(host.name);
    const Cpuid cpuid(guest_cpuid(host.supported, *Topology::parse("1n2l4c2t"), 0));
    const auto leaf = cpuid(0).ebx == Cpuid(test_host("Intel"))(0).ebx ? 4 : 0x8000001d;
    const auto l3 = cpuid(leaf, 3);
    CHECK((l3.ebx >> 22 & 0x3ff) == 15);  // ways - 1
    CHECK((l3.ebx & 0xfff) == 63);        // line - 1
    CHECK(l3.ecx == 16383);               // sets - 1
    CHECK((l3.eax & 0xff) == (3 << 5 | 3));
    CHECK(cpuid(leaf, 4).eax == 0);
  }
}

TEST_CASE("AMD's legacy sizes agree with its cache leaves, but for L3 where Linux would misread it") {
  const auto zen4 = guest_of("AMD Zen 4", "1n2l4c2t"), zen1 = guest_of("AMD Zen 1", "1n2l4c2t");
  CHECK((zen4(0x80000005).ecx >> 24) == 32);      // KiB
  CHECK((zen4(0x80000006).ecx >> 16) == 1024);    // KiB
  CHECK((zen4(0x80000006).edx >> 18) == 16 * 2);  // 512 KiB
  CHECK(zen1(0x80000006).edx == 0);
  CHECK(guest_of("Hygon", "1n2l4c2t")(0x80000006).edx == 0);
}

TEST_CASE("leaves that tell of the host's own topology are gone") {
  const auto intel = guest_of("Intel", "1n2l4c2t"), amd = guest_of("AMD Zen 4", "1n2l4c2t");
  CHECK(intel(0x1a).eax == 0);
  CHECK(intel(0x1f, 2).ebx == 0);  // the host's dies
  CHECK(guest_of("Intel without leaf 0x1F", "1n2l4c2t")(0x1f).ebx == 0);
  CHECK(amd(0x80000026).ebx == 0);
  CHECK(amd(4).eax == 0);
}

TEST_CASE("AMD's package size keeps what else its leaf says") {
  const auto size = guest_of("AMD Zen 4", "1n14l9c2t")(0x80000008).ecx;
  CHECK((size & 0xff) == 17);
  CHECK((size >> 12 & 0xf) == 5);
  CHECK((guest_of("AMD Zen 4", "1n2l1c1t")(0x80000001).ecx & 2) == 0);  // CmpLegacy
  CHECK((guest_of("AMD Zen 4", "1n2l2c1t")(0x80000001).ecx & 2) == 2);
}

TEST_CASE("the guest is told of dedicated CPUs only when they are") {
  CHECK(guest_of("Intel", "1n1l2c1t")(KVM_CPUID_FEATURES).edx == 0);
  CHECK(guest_of("Intel", "1n1l2c1t", 0, {.dedicated_cpus = true})(KVM_CPUID_FEATURES).edx == 1);
}

TEST_CASE("extended destinations are offered where an APIC id needs them") {
  constexpr std::uint32_t kExtendedDestinations = 1U << KVM_FEATURE_MSI_EXT_DEST_ID;
  const auto plain = guest_of("Intel", "1n255l1c1t")(KVM_CPUID_FEATURES).eax;
  CHECK(plain == Cpuid(test_host("Intel"))(KVM_CPUID_FEATURES).eax);
  CHECK(guest_of("Intel", "1n256l1c1t")(KVM_CPUID_FEATURES).eax == (plain | kExtendedDestinations));
}

TEST_CASE("a host without KVM's leaves is not given them") {
  auto supported = test_host("Intel");
  std::erase_if(supported, [](const auto& entry) { return entry.function >> 16 == 0x4000; });
  const Cpuid cpuid(guest_cpuid(supported, *Topology::parse("1n256l1c1t"), 0, {.dedicated_cpus = true}));
  CHECK(cpuid(KVM_CPUID_FEATURES).eax == 0);
  CHECK(cpuid(KVM_CPUID_FEATURES).edx == 0);
}

TEST_CASE("no leaf stands twice") {
  for (const auto& host : test_hosts()) {
    CAPTURE(host.name);
    auto entries = guest_cpuid(host.supported, *Topology::parse("2n4l4c2t"), 5);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> keys;
    for (const auto& entry : entries) keys.emplace_back(entry.function, entry.index);
    std::sort(keys.begin(), keys.end());
    CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
  }
}

}  // namespace ktstr::vmm::kvm
