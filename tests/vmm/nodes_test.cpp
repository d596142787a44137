// Guests whose NUMA nodes differ, and presets, as the guest's sysfs has them: compiled for each backend
// (test_guest.h).
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

#include "tests/vmm/expected_report.h"
#include "tests/vmm/mebibyte.h"
#include "tests/vmm/preset_topologies.h"
#include "tests/vmm/test_guest.h"
#include "vmm/apic_id.h"
#include "vmm/memory_plan.h"

namespace ktstr::vmm {
namespace {

using namespace std::chrono_literals;

/// One node in the answer to 'n'.
struct GuestNode {
  std::uint64_t kib = 0;
  std::string rest;
};

/// The nodes, and behind them which nodes have what.
struct GuestNodes {
  std::vector<GuestNode> nodes;
  std::string masks;
};

GuestNodes nodes_of(TestGuest& guest) {
  GuestNodes found;
  std::stringstream report(guest.ask('n'));
  for (std::string part; std::getline(report, part, ';');) {
    const auto kib = part.find(" kb="), distances = part.find(" distances=");
    if (distances == part.npos) {
      found.masks = part;
      continue;
    }
    found.nodes.push_back({std::stoull(part.substr(kib + 4)), part.substr(distances + 1)});
  }
  return found;
}

/// A node's MemTotal is its RAM less what the kernel has taken before: in each node some 2 % for its account
/// of pages, in the first also itself and its initramfs.
bool is_most_of(std::uint64_t kib, std::uint64_t bank, std::size_t node) {
  const auto taken = bank / 8 + (node == 0 ? 80 * kMiB : 0);
  return kib * 1024 <= bank && kib * 1024 + taken >= bank;
}

void check_memory(const GuestNodes& found, const MachineConfig& config) {
  const auto banks = *plan_banks(config);
  REQUIRE(found.nodes.size() == banks.size());
  for (std::size_t node = 0; node < banks.size(); ++node) {
    CAPTURE(node);
    CAPTURE(found.nodes[node].kib);
    CHECK(is_most_of(found.nodes[node].kib, banks[node], node));
  }
}

/// Boots it and compares. What its kernel needs besides the tests' 512 MiB grows with its CPUs.
void check_preset(MachineConfig& config, const char* preset, std::chrono::seconds patience) {
  CAPTURE(preset);
  config.topology = *Topology::parse(preset);
  config.memory = ByteSize{std::max<std::uint64_t>(512, 256 + 8 * config.topology.cpus()) * kMiB};
  auto guest = boot(config, patience);
  CHECK(guest.ask('t') == expected_report(config.topology));
  check_memory(nodes_of(guest), config);
}

}  // namespace

TEST_CASE("nodes with two LLCs and one: the guest shows them, with the memory that each states") {
  TEST_CONFIG(config, "2n3l1c1t nodes=2:320M,1:192M distances=10,31/31,10");
  auto guest = boot(config);
  CHECK(guest.ask('t') == expected_report(config.topology));
  const auto found = nodes_of(guest);
  check_memory(found, config);
  CHECK(found.nodes[0].rest == "distances=10 31 read_latency=100 read_bandwidth=20000");
  CHECK(found.nodes[1].rest == "distances=31 10 read_latency=100 read_bandwidth=20000");
  CHECK(found.masks == "  has_cpu=0-1 has_memory=0-1 has_normal_memory=0-1");
}

TEST_CASE("a node without CPUs: the guest shows it, with its memory, distance and speed") {
  TEST_CONFIG(config,
              "3n2l1c1t nodes=1,1,0:128M distances=10,21,40/21,10,30/40,30,10 "
              "latency_ns=90,140,400/140,90,300 bandwidth_mb_per_s=40000,30000,8000/30000,40000,9000");
  auto guest = boot(config);
  CHECK(guest.ask('t') == expected_report(config.topology));
  const auto found = nodes_of(guest);
  check_memory(found, config);
  CHECK(found.nodes[0].rest == "distances=10 21 40 read_latency=90 read_bandwidth=40000");
  CHECK(found.nodes[1].rest == "distances=21 10 30 read_latency=90 read_bandwidth=40000");
  CHECK(found.nodes[2].rest == "distances=40 30 10 read_latency=300 read_bandwidth=9000");
  CHECK(found.masks == "  has_cpu=0-1 has_memory=0-2 has_normal_memory=0-2");
}

TEST_CASE("one CPU, and a node without any at the distance of its choice") {
  TEST_CONFIG(config, "2n1l1c1t nodes=1,0:64M distances=10,50/50,10");
  auto guest = boot(config);
  const auto found = nodes_of(guest);
  check_memory(found, config);
  CHECK(found.nodes[1].rest == "distances=50 10 read_latency=500 read_bandwidth=4000");
  CHECK(found.masks == "  has_cpu=0 has_memory=0-1 has_normal_memory=0-1");
}

TEST_CASE("a fork of a guest with a node without CPUs shows the same nodes") {
  TEST_CONFIG(config, "2n1l1c1t nodes=1,0:64M distances=10,50/50,10");
  auto guest = boot(config);
  const auto nodes = guest.ask('n');
  const auto snapshot = guest.machine().snapshot(30s);
  REQUIRE(snapshot.has_value());
  auto fork = TestGuest::fork(**snapshot);
  REQUIRE(fork.has_value());
  CHECK(fork->ask('n') == nodes);
  CHECK(fork->ask('t') == expected_report(config.topology));
}

// Presets of up to 16 CPUs, one of each kind. Emulated in an emulated machine they take minutes: by hand.
TEST_CASE("a preset with odd LLCs reads back" * doctest::skip(kTestBackend == Backend::kKvm)) {
  TEST_CONFIG(config, "1n3l3c1t");
  check_preset(config, "1n3l3c1t", 240s);
}

TEST_CASE("a preset with odd LLCs of SMT cores reads back" * doctest::skip(kTestBackend == Backend::kKvm)) {
  TEST_CONFIG(config, "1n3l2c2t");
  check_preset(config, "1n3l2c2t", 240s);
}

TEST_CASE("a preset with two nodes reads back" * doctest::skip(kTestBackend == Backend::kKvm)) {
  TEST_CONFIG(config, "2n4l4c1t");
  check_preset(config, "2n4l4c1t", 240s);
}

// By hand (docs/vmm.md), as it takes an hour: all of them, or some by -sc=PRESET,PRESET.
TEST_CASE("every preset reads back, or has more APIC ids than QEMU" * doctest::skip()) {
  TEST_CONFIG(config, "1n1l1c1t");
  constexpr std::uint32_t kLargestOfQemu = 254;
  for (const char* preset : ktstr::test::kPresetTopologies) {
    SUBCASE(preset) {
      const auto largest = largest_apic_id(*Topology::parse(preset));
      if (kTestBackend == Backend::kQemu && largest > kLargestOfQemu) {
        config.topology = *Topology::parse(preset);
        config.memory = ByteSize{4096 * kMiB};
        CHECK(start_machine(config, kTestBackend).error().message.find("QEMU cannot express") == 0);
      } else {
        check_preset(config, preset, std::chrono::hours(1));
      }
      MESSAGE("compared: ", std::string(preset));
    }
  }
}

}  // namespace ktstr::vmm
