// Serial: a 16550A UART, the guest's console.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/devices/interrupt.h"

namespace ktstr::vmm::kvm {

/// A PC16550D (National Semiconductor data sheet, June 1995, section 8) that transmits at once: its
/// transmitter is always empty. As on a PC, OUT2 of the modem control register gates the interrupt line.
/// Thread-safe.
class Serial : public ByteDevice {
 public:
  static constexpr std::uint64_t kPorts = 8;
  static constexpr std::size_t kFifoBytes = 16;

  /// What the guest has transmitted, in order. Called by the vCPU thread that transmits, with the device
  /// locked: it must not call back and should not block for long.
  using Sink = std::function<void(std::string_view)>;

  /// Everything that a snapshot must keep.
  struct State {
    std::uint8_t interrupt_enable = 0;
    std::uint8_t fifo_control = 0;
    std::uint8_t line_control = 0;
    std::uint8_t modem_control = 0;
    std::uint8_t modem_deltas = 0;  ///< low half of the modem status register
    std::uint8_t scratch = 0;
    std::uint16_t divisor = 12;          ///< 9600 baud
    bool transmitter_interrupt = false;  ///< "transmitter holding register empty" is not acknowledged yet
    bool overrun = false;
    std::uint8_t received_count = 0;  ///< of `received`, oldest first
    std::array<std::uint8_t, kFifoBytes> received{};
    friend bool operator==(const State&, const State&) = default;
  };

  /// `line` must outlive the device.
  Serial(InterruptLine& line, Sink sink);

  /// Bytes for the guest. Gives how many the receiver has taken: the rest may be offered again later.
  std::size_t input(std::string_view bytes);

  [[nodiscard]] State state() const;
  /// Raises the line if an interrupt is pending in `state`.
  void restore(const State& state);

 private:
  std::uint8_t read_register(std::uint64_t offset) override;
  void write_register(std::uint64_t offset, std::uint8_t value) override;

  [[nodiscard]] bool divisor_selected() const;
  [[nodiscard]] bool loopback() const;
  [[nodiscard]] std::size_t receiver_depth() const;
  [[nodiscard]] std::uint8_t modem_lines() const;
  [[nodiscard]] std::uint8_t interrupt_id() const;
  std::uint8_t acknowledge_interrupt();
  std::uint8_t take_line_status();
  std::uint8_t take_modem_status();
  std::uint8_t take_received();
  bool receive(std::uint8_t byte);
  void transmit(std::uint8_t byte);
  void set_interrupt_enable(std::uint8_t value);
  void set_fifo_control(std::uint8_t value);
  void set_modem_control(std::uint8_t value);
  void update_line();

  InterruptLine& line_;
  Sink sink_;
  mutable std::mutex mutex_;
  State state_;
  bool line_high_ = false;
};

}  // namespace ktstr::vmm::kvm
