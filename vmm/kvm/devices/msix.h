// Msix: the message-signalled interrupts of one PCI function.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "vmm/kvm/devices/interrupt.h"
#include "vmm/kvm/devices/pci_function.h"

namespace ktstr::vmm::kvm {

/// The MSI-X capability, table and pending bits (PCI 3.0, 6.8.2). MessageInterrupts is told of a vector whose
/// message or mask has changed, unless it was and stays masked; an interrupt that a mask holds back is sent
/// when the mask goes. While the guest has MSI-X disabled, interrupts are dropped. Thread-safe; calls the
/// MessageInterrupts with its lock held.
class Msix {
 public:
  static constexpr std::uint32_t kEntryBytes = 16;

  /// Everything that a snapshot must keep.
  struct State {
    bool enabled = false;
    bool masked = false;                                ///< the function's mask
    std::vector<std::array<std::uint32_t, 4>> entries;  ///< address low and high, data, control
    std::vector<bool> pending;
    friend bool operator==(const State&, const State&) = default;
  };

  /// `interrupts` must outlive it. Precondition: 1 to 2048 vectors.
  Msix(std::uint16_t vectors, MessageInterrupts& interrupts);

  /// Adds the capability, with the table and the pending bits at these offsets of BAR `bar`. It must outlive
  /// the function's use.
  void add_capability(PciFunction& function, unsigned bar, std::uint32_t table, std::uint32_t pending);

  [[nodiscard]] std::uint16_t vectors() const { return vectors_; }
  [[nodiscard]] bool enabled() const;

  /// The guest accesses the table: any read, writes of aligned dwords and quadwords.
  void read_table(std::uint64_t offset, std::span<std::byte> data) const;
  void write_table(std::uint64_t offset, std::span<const std::byte> data);
  /// The guest reads the pending bits, one per vector.
  void read_pending(std::uint64_t offset, std::span<std::byte> data) const;

  /// Sends `vector`, or makes it pending while it is masked. Precondition: it is less than vectors().
  void trigger(std::uint16_t vector);

  [[nodiscard]] State state() const;
  /// Programs and sends what `state` has unmasked and pending. Precondition: it has as many vectors.
  void restore(const State& state);

 private:
  void set_control(std::uint16_t control);
  [[nodiscard]] MsixMessage message(std::uint16_t vector) const;
  void refresh(std::uint16_t vector);
  void refresh_all();

  const std::uint16_t vectors_;
  MessageInterrupts& interrupts_;
  mutable std::mutex mutex_;
  State state_;
  std::vector<MsixMessage> programmed_;  ///< what interrupts_ was told last
};

}  // namespace ktstr::vmm::kvm
