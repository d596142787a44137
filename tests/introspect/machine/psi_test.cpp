#include "introspect/machine/psi.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/machine_guest.h"

namespace ktstr::introspect::test {
namespace {

/// Total and averages of one state: total in ns, averages in percent with 11 fraction bits.
void set_state(MachineGuest& guest, KernelVirt group, std::size_t state, std::uint64_t total,
               std::array<std::uint64_t, 3> averages) {
  guest.write(guest.member(group, "psi_group", "total") + state * 8, total);
  guest.write(guest.member(group, "psi_group", "avg") + state * 24, averages);
}

std::vector<std::string> paths(const Readings<CgroupPsiStat>& readings) {
  std::vector<std::string> paths;
  for (const auto& row : readings.rows) paths.push_back(row.path);
  return paths;
}

}  // namespace

TEST_CASE("pressure is in the units of the pressure files") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  const KernelVirt group = guest.symbol("psi_system");
  guest.set(group, "psi_group", "enabled", std::uint8_t{1});
  guest.set(group, "psi_group", "avg_last_update", std::uint64_t{55});
  set_state(guest, group, 3, 1'234'999, {(7U << 11) + 1024, 100U << 11, 41});
  set_state(guest, group, 5, 9'000'000, {1U << 11, 0, 0});
  const auto system = PsiReader::create(kernel).value().read_system(kernel).value();
  CHECK(system.enabled);
  CHECK(system.avg_last_update_ns == 55);
  CHECK(system.memory.full == PsiHalf{750, 10000, 2, 1234});
  CHECK(system.memory.some == PsiHalf{});
  CHECK(system.io == PsiResource{PsiHalf{}, PsiHalf{}});
  CHECK_MESSAGE(!system.cpu.full.has_value(), "without meaning for the whole system");
  CHECK_FALSE(system.irq.has_value());
}

TEST_CASE("interrupt pressure is there on kernels that account it, and shifts nothing else") {
  MachineGuest guest({.idle_in_cpustat = true, .irq_pressure = true});
  const auto kernel = guest.attach();
  const KernelVirt group = guest.symbol("psi_system");
  set_state(guest, group, 6, 3'000, {0, 0, 0});
  set_state(guest, group, 4, 4'000, {0, 0, 0});
  const auto system = PsiReader::create(kernel).value().read_system(kernel).value();
  REQUIRE(system.irq.has_value());
  CHECK(system.irq->full->total_usec == 3);
  CHECK_FALSE(system.irq->some.has_value());
  CHECK(system.cpu.some->total_usec == 4);
}

TEST_CASE("cgroups come with their paths, parents first, dead ones left out") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  const KernelVirt web = guest.add_cgroup(guest.root_cgroup(), "web");
  const KernelVirt inner = guest.add_cgroup(web, "in\xc3ner");
  guest.set_dead(guest.add_cgroup(guest.root_cgroup(), "gone"));
  guest.add_cgroup(guest.root_cgroup(), "batch");
  set_state(guest, guest.psi_of(inner), 5, 2'000, {0, 0, 0});
  const auto readings = PsiReader::create(kernel).value().read_cgroups(kernel);
  CHECK(readings.problems.empty());
  CHECK(paths(readings) == std::vector<std::string>{"/web", "/batch", "/web/in\\xc3ner"});
  CHECK(readings.rows[2].psi.cpu.full->total_usec == 2);
  CHECK(readings.rows[0].psi.cpu.full->total_usec == 0);
}

TEST_CASE("a cgroup without a psi_group has no row, one that can't be read has a problem") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  guest.set(guest.add_cgroup(guest.root_cgroup(), "none"), "cgroup", "psi", KernelVirt{});
  guest.set(guest.add_cgroup(guest.root_cgroup(), "wild"), "cgroup", "psi", KernelVirt(0x1234));
  guest.add_cgroup(guest.root_cgroup(), "good");
  const auto readings = PsiReader::create(kernel).value().read_cgroups(kernel);
  CHECK(paths(readings) == std::vector<std::string>{"/good"});
  CHECK(readings.problems == std::vector<std::string>{"/wild: its psi_group can't be read"});
}

TEST_CASE("a kernel booted without pressure says so") {
  MachineGuest guest;
  const auto kernel = guest.attach();
  guest.set(guest.symbol("psi_disabled"), "static_key", "enabled.counter", std::int32_t{1});
  const auto reader = PsiReader::create(kernel);
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().code == ErrorCode::kUnavailable);
}

}  // namespace ktstr::introspect::test
