#include "vmm/kvm/ending.h"

#include <sys/eventfd.h>

namespace ktstr::vmm::kvm {

Result<std::unique_ptr<Ending>> Ending::create() {
  Fd event(::eventfd(0, EFD_CLOEXEC));
  if (!event) return system_error("eventfd");
  return std::unique_ptr<Ending>(new Ending(std::move(event)));
}

void Ending::guest_exited() {
  settle(std::nullopt);
}

void Ending::failed(Error error) {
  settle(std::move(error));
}

/// The first to tell is believed: what follows are consequences.
void Ending::settle(std::optional<Error> failure) {
  const std::lock_guard lock(mutex_);
  if (settled_) return;
  settled_ = true;
  failure_ = std::move(failure);
  ::eventfd_write(event_.get(), 1);
}

MachineEvent Ending::event(const std::optional<std::string>& panic) const {
  const std::lock_guard lock(mutex_);
  if (panic) return GuestPanicked{*panic, failure_};
  if (failure_) return MachineFailed{*failure_};
  return GuestExited{};
}

}  // namespace ktstr::vmm::kvm
