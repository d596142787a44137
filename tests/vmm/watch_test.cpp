// Watchpoints of a running guest, on either backend.
#include <doctest/doctest.h>

#include "engine/kernels/kernel_store.h"
#include "introspect/symbols/symbol_table.h"
#include "tests/vmm/test_guest.h"
#include "vmm/kvm/kvm.h"

namespace ktstr::vmm {
namespace {

using namespace std::chrono_literals;

/// The guest's count of ticks, at its linked address.
KernelVirt jiffies() {
  const auto store = engine::KernelStore::open();
  REQUIRE(store.has_value());
  const auto kernel = store->resolve(std::nullopt);
  REQUIRE(kernel.has_value());
  const auto symbols = introspect::SymbolTable::load(kernel->symbols);
  REQUIRE(symbols.has_value());
  const auto address = symbols->address("jiffies_64");
  REQUIRE(address.has_value());
  return *address;
}

}  // namespace

TEST_CASE("a watched write tells vCPU, old and new value, and the machine stands still until it is thawed") {
  TEST_CONFIG(config, "1n1l2c1t");
  config.kaslr = false;
  auto guest = boot(config);
  auto& machine = guest.machine();
  REQUIRE(guest.ask('s') == "spinning");
  const Watchpoint ticks{jiffies(), 8};
  REQUIRE(machine.set_watchpoints(std::span(&ticks, 1)).has_value());

  std::optional<std::uint64_t> last;
  for (int i = 0; i < 5; ++i) {
    const auto hit = machine.wait_watch_hit(10s);
    if (!hit && kTestBackend == Backend::kKvm && kvm::host_is_emulated())
      SKIP_TEST("this QEMU's VMRUN does not arm the debug registers that it loads");
    REQUIRE_MESSAGE(hit.has_value(), hit.error().message);
    REQUIRE(hit->vcpu.has_value());
    CHECK(*hit->vcpu < 2);
    CHECK(hit->watchpoint == ticks);
    REQUIRE(hit->old_value.has_value());
    REQUIRE(hit->new_value.has_value());
    CHECK(*hit->new_value > *hit->old_value);
    if (last) CHECK(hit->old_value == last);
    last = hit->new_value;
    const auto frozen = machine.freeze(10s);
    REQUIRE(frozen.has_value());
    CHECK(frozen->vcpus[*hit->vcpu].has_value());
    REQUIRE(machine.thaw().has_value());
    REQUIRE(machine.thaw().has_value());
  }

  REQUIRE(machine.set_watchpoints({}).has_value());
  CHECK(guest.ask('p') == "pong");
  CHECK(machine.wait_watch_hit(1ms).error().code == ErrorCode::kTimeout);
}

TEST_CASE("watchpoints that the hardware does not have are refused") {
  TEST_CONFIG(config, "1n1l1c1t");
  const auto machine = start_machine(config, kTestBackend);
  REQUIRE(machine.has_value());
  const std::vector<Watchpoint> five(5, Watchpoint{KernelVirt(0xffffffff81000000), 8});
  CHECK((*machine)->set_watchpoints(five).error().message == "5 watchpoints: the hardware has 4");
  const Watchpoint odd{KernelVirt(0xffffffff81000001), 2};
  CHECK((*machine)->set_watchpoints(std::span(&odd, 1)).error().message ==
        "a watchpoint of 2 bytes at 0xffffffff81000001: it may have 1, 2, 4 or 8, aligned to them");
}

}  // namespace ktstr::vmm
