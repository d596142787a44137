// FakeMachine: a machine that only freezes and thaws, and counts both. It may have memory of a test's.
#pragma once

#include <vector>

#include "vmm/machine.h"

namespace ktstr::engine::testing {

class FakeMachine : public vmm::Machine {
 public:
  int depth = 0;  ///< freezes that were not thawed
  int freezes = 0;
  vmm::FrozenState state;
  std::vector<std::optional<vmm::VcpuRegisters>> left_registers;  ///< as the guest's end left them
  std::vector<vmm::MemoryRegion> regions;
  std::optional<Error> freeze_error;
  std::optional<Error> thaw_error;

  explicit FakeMachine(std::size_t vcpus) {
    for (std::size_t i = 0; i < vcpus; ++i) state.vcpus.emplace_back().emplace().rip = 0x1000 + i;
  }

  Result<vmm::FrozenState> freeze(Duration) override {
    if (freeze_error) return *freeze_error;
    ++depth, ++freezes;
    return state;
  }
  Status thaw() override {
    --depth;
    return thaw_error ? Status(*thaw_error) : ok();
  }
  Result<std::unique_ptr<vmm::MachineSnapshot>> snapshot(Duration) override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }
  Status set_watchpoints(std::span<const vmm::Watchpoint>) override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }
  Result<vmm::WatchHit> wait_watch_hit(Duration) override { return Error{ErrorCode::kUnavailable, "a fake"}; }
  std::string backend_name() const override { return "fake"; }
  bool is_emulated() const override { return true; }
  std::span<const vmm::MemoryRegion> memory() const override { return regions; }
  int channel_fd() const override { return -1; }
  std::vector<std::optional<int>> vcpu_thread_ids() const override { return {}; }
  vmm::MachinePerformance performance() const override { return {}; }
  Result<vmm::MachineStatistics> statistics() override { return Error{ErrorCode::kUnavailable, "a fake"}; }
  Result<vmm::MachineEvent> wait_event(Duration) override { return Error{ErrorCode::kTimeout, "no events"}; }
  std::vector<std::optional<vmm::VcpuRegisters>> last_registers() override { return left_registers; }
  std::string console_tail(std::size_t) const override { return {}; }
  void kill() override {}
};

}  // namespace ktstr::engine::testing
