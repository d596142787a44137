#include "engine/freeze/frozen_machine.h"

namespace ktstr::engine {

Result<FrozenMachine> FrozenMachine::freeze(vmm::Machine& machine, Duration deadline) {
  return FrozenMachine(machine, KTSTR_TRY(machine.freeze(deadline)));
}

FrozenMachine::~FrozenMachine() {
  if (machine_) static_cast<void>(machine_->thaw());
}

Status FrozenMachine::thaw() {
  return machine_ ? std::exchange(machine_, nullptr)->thaw() : ok();
}

}  // namespace ktstr::engine
