#include "introspect/machine/numa.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {
namespace {

void set_events(MachineGuest& guest, KernelVirt base, const char* structure,
                std::array<std::uint64_t, 6> events) {
  guest.write(guest.member(base, structure, "vm_numa_event"), events);
}

}  // namespace

TEST_CASE("a node's counters are those of its zones and of every CPU") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  set_events(guest, guest.zone(1, 0), "zone", {1000, 2000, 3000, 4000, 5000, 6000});
  set_events(guest, guest.zone(1, 1), "zone", {100, 200, 300, 400, 500, 600});
  set_events(guest, guest.zonestat(1, 0), "per_cpu_zonestat", {10, 20, 30, 40, 50, 60});
  set_events(guest, guest.zonestat(1, 1), "per_cpu_zonestat", {1, 2, 3, 4, 5, 6});
  const auto readings = NumaReader::create(kernel).value().read(kernel);
  CHECK(readings.problems.empty());
  REQUIRE(readings.rows.size() == MachineGuest::kNodes);
  CHECK(readings.rows[0] == PerNodeNumaStats{0, 0, 0, 0, 0, 0, 0});
  CHECK(readings.rows[1] == PerNodeNumaStats{1, 1111, 2222, 3333, 4444, 5555, 6666});
}

TEST_CASE("the counters that zones without pages share belong to no node") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  set_events(guest, guest.boot_zonestat(0), "per_cpu_zonestat", {9, 9, 9, 9, 9, 9});
  for (const auto& row : NumaReader::create(kernel).value().read(kernel).rows) CHECK(row.numa_hit == 0);
}

TEST_CASE("a node that is not online has no row") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  guest.write(guest.symbol("node_states") + 16, std::uint64_t{2});
  const auto readings = NumaReader::create(kernel).value().read(kernel);
  REQUIRE(readings.rows.size() == 1);
  CHECK(readings.rows[0].node == 1);
}

TEST_CASE("a node whose data or counters can't be read has no row, the other has") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  SUBCASE("a pointer into nowhere") {
    guest.write(guest.symbol("node_data") + 8, KernelVirt(0x1000));
  }
  SUBCASE("another node's data") {
    guest.write(guest.symbol("node_data") + 8, guest.get<KernelVirt>(guest.symbol("node_data")));
  }
  SUBCASE("per-CPU counters in unmapped memory") {
    guest.set(guest.zone(1, 0), "zone", "per_cpu_zonestats", KernelVirt(0xffff'c900'0000'0000));
  }
  const auto readings = NumaReader::create(kernel).value().read(kernel);
  REQUIRE(readings.rows.size() == 1);
  CHECK(readings.rows[0].node == 0);
  REQUIRE(readings.problems.size() == 1);
  CHECK(readings.problems[0].starts_with("node1: "));
}

}  // namespace ktstr::introspect::test
