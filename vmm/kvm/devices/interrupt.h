// What devices signal with. The machine implements both with irqfds; tests count.
#pragma once

#include <cstdint>

namespace ktstr::vmm::kvm {

/// An edge-triggered line. Thread-safe, never blocks, and calls no device back: devices raise it locked.
class InterruptLine {
 public:
  virtual ~InterruptLine() = default;
  virtual void raise() = 0;
};

/// What the guest wrote into one entry of an MSI-X table (PCI 3.0, 6.8.2).
struct MsixMessage {
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  bool masked = true;
  friend bool operator==(const MsixMessage&, const MsixMessage&) = default;
};

/// The message-signalled interrupts of one function, numbered from 0. Thread-safe, and calls no device back:
/// devices call it locked.
class MessageInterrupts {
 public:
  virtual ~MessageInterrupts() = default;
  /// The guest has changed `vector`; effective mask (entry's own, the function's, or MSI-X disabled) in
  /// `message.masked`. At first every vector is masked; what changes while it stays so is told with the
  /// unmasking.
  virtual void program(std::uint16_t vector, const MsixMessage& message) = 0;
  /// Sends it. The device calls this for vectors that are not masked only.
  virtual void signal(std::uint16_t vector) = 0;
};

}  // namespace ktstr::vmm::kvm
