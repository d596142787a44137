// FrozenMachine: a machine that stands still for as long as this lives.
#pragma once

#include <utility>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// Thaws on every way out of a scope. The machine must outlive it. Movable.
class FrozenMachine {
 public:
  /// Errors: vmm::Machine::freeze(); the machine runs on then.
  [[nodiscard]] static Result<FrozenMachine> freeze(vmm::Machine& machine, Duration deadline);
  FrozenMachine(FrozenMachine&& other) noexcept
      : machine_(std::exchange(other.machine_, nullptr)), state_(std::move(other.state_)) {}
  FrozenMachine& operator=(FrozenMachine&&) = delete;
  ~FrozenMachine();

  [[nodiscard]] const vmm::FrozenState& state() const { return state_; }

  /// Lets the guest run on, and says whether that worked. Afterwards the destructor does nothing.
  [[nodiscard]] Status thaw();

 private:
  FrozenMachine(vmm::Machine& machine, vmm::FrozenState state)
      : machine_(&machine), state_(std::move(state)) {}

  vmm::Machine* machine_;  ///< nullptr: thawed or moved from
  vmm::FrozenState state_;
};

}  // namespace ktstr::engine
