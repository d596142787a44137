// Interrupts of devices through irqfds: an eventfd's write becomes an interrupt inside KVM.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/devices/interrupt.h"
#include "vmm/kvm/vm.h"

namespace ktstr::vmm::kvm {

class IrqfdLine : public InterruptLine {
 public:
  /// Raises `gsi`. Errors: KVM's, kIo.
  [[nodiscard]] static Result<std::unique_ptr<IrqfdLine>> create(const Vm& vm, std::uint32_t gsi);
  void raise() override;

 private:
  explicit IrqfdLine(Fd event) : event_(std::move(event)) {}
  Fd event_;
};

/// One GSI for each vector from `first_gsi` on; its route is what the guest last wrote for it.
class IrqfdMessages : public MessageInterrupts {
 public:
  /// `vm` must outlive it. Errors: KVM's, kIo.
  [[nodiscard]] static Result<std::unique_ptr<IrqfdMessages>> create(Vm& vm, std::uint32_t first_gsi,
                                                                     std::uint16_t vectors);
  void program(std::uint16_t vector, const MsixMessage& message) override;
  void signal(std::uint16_t vector) override;

  /// The first error that KVM had with a route, if any: interrupts may be lost since.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  IrqfdMessages(Vm& vm, std::uint32_t first_gsi) : vm_(vm), first_gsi_(first_gsi) {}

  Vm& vm_;
  const std::uint32_t first_gsi_;
  std::vector<Fd> events_;
  mutable std::mutex mutex_;
  std::optional<Error> failure_;
};

}  // namespace ktstr::vmm::kvm
