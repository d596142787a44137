#include "engine/observe/machine_memory.h"

#include <doctest/doctest.h>

#include <array>

using namespace ktstr;
using namespace ktstr::engine;

namespace {

/// A machine of which only the memory is real.
class MemoryOnlyMachine : public vmm::Machine {
 public:
  std::array<std::byte, 4096> low{}, high{};
  std::array<vmm::MemoryRegion, 2> regions{{{GuestPhys(0), low}, {GuestPhys(0x100000000), high}}};

  std::string backend_name() const override { return "none"; }
  bool is_emulated() const override { return true; }
  std::span<const vmm::MemoryRegion> memory() const override { return regions; }
  Result<vmm::FrozenState> freeze(Duration) override { return vmm::FrozenState{}; }
  Status thaw() override { return ok(); }
  Result<std::unique_ptr<vmm::MachineSnapshot>> snapshot(Duration) override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }
  Status set_watchpoints(std::span<const vmm::Watchpoint>) override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }
  Result<vmm::WatchHit> wait_watch_hit(Duration) override { return Error{ErrorCode::kUnavailable, "a fake"}; }
  int channel_fd() const override { return -1; }
  std::vector<std::optional<int>> vcpu_thread_ids() const override { return {}; }
  vmm::MachinePerformance performance() const override { return {}; }
  Result<vmm::MachineStatistics> statistics() override { return Error{ErrorCode::kUnavailable, "a fake"}; }
  Result<vmm::MachineEvent> wait_event(Duration) override { return Error{ErrorCode::kTimeout, "no events"}; }
  std::string console_tail(std::size_t) const override { return {}; }
  void kill() override {}
};

}  // namespace

TEST_CASE("guest memory is read across regions and refused outside of them") {
  MemoryOnlyMachine machine;
  machine.low[16] = std::byte{0x2a};
  machine.high[0] = std::byte{0x17};
  const auto memory = machine_memory(machine);
  CHECK(memory.read_value<std::uint8_t>(GuestPhys(16)) == 0x2a);
  CHECK(memory.read_value<std::uint8_t>(GuestPhys(0x100000000)) == 0x17);
  CHECK_FALSE(memory.read_value<std::uint8_t>(GuestPhys(4096)));
  CHECK_FALSE(memory.read_value<std::uint64_t>(GuestPhys(4092)));
  CHECK(memory.end() == GuestPhys(0x100001000));
}

TEST_CASE("what is written is in the guest's memory") {
  MemoryOnlyMachine machine;
  auto memory = writable_memory(machine);
  const std::array bytes{std::byte{1}, std::byte{2}};
  CHECK(memory.write(GuestPhys(0x100000ffe), bytes));
  CHECK(machine.high[4095] == std::byte{2});
  CHECK_FALSE(memory.write(GuestPhys(0x100000fff), bytes));
  CHECK_FALSE(memory.write(GuestPhys(4095), bytes));
  CHECK(machine.low[4095] == std::byte{0});
}

TEST_CASE("what the guest writes is seen by the next read") {
  MemoryOnlyMachine machine;
  const auto memory = machine_memory(machine);
  machine.low[0] = std::byte{1};
  CHECK(memory.read_value<std::uint8_t>(GuestPhys(0)) == 1);
  machine.low[0] = std::byte{2};
  CHECK(memory.read_value<std::uint8_t>(GuestPhys(0)) == 2);
}

TEST_CASE("a vCPU that did not stop gives no context") {
  vmm::FrozenState frozen;
  frozen.vcpus.resize(2);
  frozen.vcpus[1] = vmm::VcpuRegisters{};
  frozen.vcpus[1]->cr3 = 0x1234000;
  frozen.vcpus[1]->lstar = 0xffffffff81000000;
  const auto contexts = cpu_contexts(frozen);
  REQUIRE(contexts.size() == 1);
  CHECK(contexts[0].cr3 == 0x1234000);
  CHECK(contexts[0].lstar == 0xffffffff81000000);
  CHECK_FALSE(contexts[0].idt_base);
}
