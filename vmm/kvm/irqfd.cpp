#include "vmm/kvm/irqfd.h"

#include <sys/eventfd.h>

namespace ktstr::vmm::kvm {
namespace {

Result<Fd> make_event() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error("eventfd");
  return event;
}

}  // namespace

Result<std::unique_ptr<IrqfdLine>> IrqfdLine::create(const Vm& vm, std::uint32_t gsi) {
  auto event = KTSTR_TRY(make_event());
  KTSTR_TRY(vm.connect_interrupt(gsi, event.get()));
  return std::unique_ptr<IrqfdLine>(new IrqfdLine(std::move(event)));
}

// A write fails only when 2^64 - 2 of them are not taken yet.
void IrqfdLine::raise() {
  ::eventfd_write(event_.get(), 1);
}

Result<std::unique_ptr<IrqfdMessages>> IrqfdMessages::create(Vm& vm, std::uint32_t first_gsi,
                                                             std::uint16_t vectors) {
  std::unique_ptr<IrqfdMessages> messages(new IrqfdMessages(vm, first_gsi));
  for (std::uint16_t vector = 0; vector < vectors; ++vector) {
    messages->events_.push_back(KTSTR_TRY(make_event()));
    KTSTR_TRY(vm.connect_interrupt(first_gsi + vector, messages->events_.back().get()));
  }
  return messages;
}

void IrqfdMessages::program(std::uint16_t vector, const MsixMessage& message) {
  if (message.masked) return;
  const std::lock_guard lock(mutex_);
  auto routed = vm_.route_message(first_gsi_ + vector, message.address, message.data);
  if (!routed && !failure_) failure_ = std::move(routed.error());
}

void IrqfdMessages::signal(std::uint16_t vector) {
  ::eventfd_write(events_[vector].get(), 1);
}

std::optional<Error> IrqfdMessages::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace ktstr::vmm::kvm
