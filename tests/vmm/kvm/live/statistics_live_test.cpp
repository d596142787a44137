// What the host counts of vCPUs, beside what they did.
#include <doctest/doctest.h>

#include "tests/vmm/kvm/live/resources.h"
#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {
namespace {

MachineStatistics statistics_of(TestGuest& guest) {
  const auto statistics = guest.machine().statistics();
  REQUIRE_MESSAGE(statistics.has_value(), statistics.error().message);
  return *statistics;
}

}  // namespace

TEST_CASE("a boot left the guest, took interrupts and mapped memory, on each vCPU") {
  TEST_CONFIG(config, "1n1l2c1t");
  auto guest = boot(config);
  const auto statistics = statistics_of(guest);
  if (statistics.kvm_problem) SKIP_TEST(*statistics.kvm_problem);
  REQUIRE(statistics.vcpus.size() == 2);
  for (const auto& vcpu : statistics.vcpus) {
    CHECK(vcpu.kvm.exits > 0);
    CHECK(vcpu.kvm.irq_injections > 0);
    CHECK(vcpu.kvm.exits > vcpu.kvm.halt_exits);
  }
  CHECK(statistics.vcpus[0].kvm.io_exits > 0);
  CHECK(statistics.vm.pages_4k.value_or(0) + statistics.vm.pages_2m.value_or(0) > 0);
}

TEST_CASE("an idle guest halts, and is woken by what it waits for") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  const auto before = statistics_of(guest);
  if (before.kvm_problem) SKIP_TEST(*before.kvm_problem);
  for (int i = 0; i < 50; ++i) CHECK(guest.ask('p') == "pong");
  const auto added = added_between(before.vcpus[0].kvm, statistics_of(guest).vcpus[0].kvm);
  CHECK(added.halt_exits > 0);
  CHECK(added.exits > added.halt_exits);
  CHECK(added.irq_injections > 0);
  CHECK(added.halt_wakeup.value_or(0) + added.halt_successful_poll.value_or(0) > 0);
}

TEST_CASE("a kick of a freeze is an exit for a signal") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  const auto before = statistics_of(guest);
  if (before.kvm_problem) SKIP_TEST(*before.kvm_problem);
  REQUIRE(guest.ask('s') == "spinning");
  for (int i = 0; i < 20; ++i) {
    REQUIRE(guest.machine().freeze(std::chrono::seconds(10)).has_value());
    REQUIRE(guest.machine().thaw().has_value());
  }
  CHECK(added_between(before.vcpus[0].kvm, statistics_of(guest).vcpus[0].kvm).signal_exits > 0);
}

TEST_CASE("the hardware counts a guest's cycles and instructions, or says in one line why not") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  const auto before = statistics_of(guest);
  for (int i = 0; i < 50; ++i) CHECK(guest.ask('p') == "pong");
  const auto after = statistics_of(guest);
  if (after.counters_problem) {
    CHECK(after.counters_problem->find('\n') == std::string::npos);
    CHECK_FALSE(after.vcpus[0].counters.has_value());
    SKIP_TEST(*after.counters_problem);
  }
  REQUIRE(after.vcpus[0].counters.has_value());
  const auto counted = counted_between(*before.vcpus[0].counters, *after.vcpus[0].counters);
  CHECK(counted.cycles > 0);
  CHECK(counted.instructions > 0);
}

TEST_CASE("statistics leave nothing open when the machine ends, and end with it") {
  TEST_CONFIG(config, "1n1l1c1t");
  const auto cycle = [&] {
    auto guest = boot(config);
    static_cast<void>(statistics_of(guest));
    guest.machine().kill();
    CHECK(guest.machine().statistics().error().code == ErrorCode::kCancelled);
  };
  cycle();
  const Resources before;
  cycle();
  CHECK(Resources().descriptors == before.descriptors);
}

}  // namespace ktstr::vmm
