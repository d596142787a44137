#include "vmm/kvm/devices/serial.h"

#include <linux/serial_reg.h>

#include <algorithm>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint8_t kInterruptEnableMask = UART_IER_MSI | UART_IER_RLSI | UART_IER_THRI | UART_IER_RDI;
constexpr std::uint8_t kModemControlMask =
    UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_OUT1 | UART_MCR_RTS | UART_MCR_DTR;
constexpr std::uint8_t kTriggerMask = UART_FCR_TRIGGER_MASK;

}  // namespace

Serial::Serial(InterruptLine& line, Sink sink) : line_(line), sink_(std::move(sink)) {}

std::size_t Serial::input(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (loopback()) return 0;
  const auto free = receiver_depth() - std::min<std::size_t>(state_.received_count, receiver_depth());
  const auto taken = bytes.substr(0, free);
  for (const char byte : taken) receive(static_cast<std::uint8_t>(byte));
  update_line();
  return taken.size();
}

Serial::State Serial::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Serial::restore(const State& state) {
  const std::lock_guard lock(mutex_);
  state_ = state;
  state_.received_count = std::min<std::uint8_t>(state.received_count, kFifoBytes);
  line_high_ = false;
  update_line();
}

std::uint8_t Serial::read_register(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  switch (offset) {
    case UART_RX:
      return divisor_selected() ? static_cast<std::uint8_t>(state_.divisor) : take_received();
    case UART_IER:
      return divisor_selected() ? static_cast<std::uint8_t>(state_.divisor >> 8) : state_.interrupt_enable;
    case UART_IIR:
      return acknowledge_interrupt();
    case UART_LCR:
      return state_.line_control;
    case UART_MCR:
      return state_.modem_control;
    case UART_LSR:
      return take_line_status();
    case UART_MSR:
      return take_modem_status();
    case UART_SCR:
      return state_.scratch;
    default:
      return 0xff;
  }
}

void Serial::write_register(std::uint64_t offset, std::uint8_t value) {
  const std::lock_guard lock(mutex_);
  if (offset == UART_DLL && divisor_selected())
    state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xff00U) | value);
  else if (offset == UART_DLM && divisor_selected())
    state_.divisor = static_cast<std::uint16_t>((state_.divisor & 0xffU) | (value << 8U));
  else if (offset == UART_TX)
    transmit(value);
  else if (offset == UART_IER)
    set_interrupt_enable(value);
  else if (offset == UART_FCR)
    set_fifo_control(value);
  else if (offset == UART_LCR)
    state_.line_control = value;
  else if (offset == UART_MCR)
    set_modem_control(value);
  else if (offset == UART_SCR)
    state_.scratch = value;
  update_line();
}

bool Serial::divisor_selected() const {
  return (state_.line_control & UART_LCR_DLAB) != 0;
}

bool Serial::loopback() const {
  return (state_.modem_control & UART_MCR_LOOP) != 0;
}

std::size_t Serial::receiver_depth() const {
  return (state_.fifo_control & UART_FCR_ENABLE_FIFO) != 0 ? kFifoBytes : 1;
}

// In loopback the outputs of the modem control register are wired to the inputs (8.6.7); else the other end
// is there and ready.
std::uint8_t Serial::modem_lines() const {
  if (!loopback()) return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
  std::uint8_t lines = 0;
  if ((state_.modem_control & UART_MCR_RTS) != 0) lines |= UART_MSR_CTS;
  if ((state_.modem_control & UART_MCR_DTR) != 0) lines |= UART_MSR_DSR;
  if ((state_.modem_control & UART_MCR_OUT1) != 0) lines |= UART_MSR_RI;
  if ((state_.modem_control & UART_MCR_OUT2) != 0) lines |= UART_MSR_DCD;
  return lines;
}

// The pending interrupt of the highest priority (8.6.5, table IV).
std::uint8_t Serial::interrupt_id() const {
  const auto enabled = state_.interrupt_enable;
  if ((enabled & UART_IER_RLSI) != 0 && state_.overrun) return UART_IIR_RLSI;
  if ((enabled & UART_IER_RDI) != 0 && state_.received_count > 0) return UART_IIR_RDI;
  if ((enabled & UART_IER_THRI) != 0 && state_.transmitter_interrupt) return UART_IIR_THRI;
  if ((enabled & UART_IER_MSI) != 0 && state_.modem_deltas != 0) return UART_IIR_MSI;
  return UART_IIR_NO_INT;
}

std::uint8_t Serial::acknowledge_interrupt() {
  const auto id = interrupt_id();
  if (id == UART_IIR_THRI) state_.transmitter_interrupt = false;
  update_line();
  const bool fifo = (state_.fifo_control & UART_FCR_ENABLE_FIFO) != 0;
  return static_cast<std::uint8_t>(id | (fifo ? 0xc0U : 0U));
}

std::uint8_t Serial::take_line_status() {
  std::uint8_t status = UART_LSR_THRE | UART_LSR_TEMT;
  if (state_.received_count > 0) status |= UART_LSR_DR;
  if (state_.overrun) status |= UART_LSR_OE;
  state_.overrun = false;
  update_line();
  return status;
}

std::uint8_t Serial::take_modem_status() {
  const auto status = static_cast<std::uint8_t>(modem_lines() | state_.modem_deltas);
  state_.modem_deltas = 0;
  update_line();
  return status;
}

std::uint8_t Serial::take_received() {
  if (state_.received_count == 0) return 0;
  const auto oldest = state_.received.front();
  std::ranges::copy(state_.received.begin() + 1, state_.received.end(), state_.received.begin());
  --state_.received_count;
  update_line();
  return oldest;
}

bool Serial::receive(std::uint8_t byte) {
  if (state_.received_count >= receiver_depth()) {
    state_.overrun = true;
    return false;
  }
  state_.received[state_.received_count++] = byte;
  return true;
}

void Serial::transmit(std::uint8_t byte) {
  if (loopback()) {
    receive(byte);
  } else {
    const auto character = static_cast<char>(byte);
    sink_({&character, 1});
  }
  state_.transmitter_interrupt = true;
}

// Enabling the interrupt while the transmitter is empty reports that it is (8.6.4): drivers start sending so.
void Serial::set_interrupt_enable(std::uint8_t value) {
  const auto enabled = value & kInterruptEnableMask & ~state_.interrupt_enable;
  if ((enabled & UART_IER_THRI) != 0) state_.transmitter_interrupt = true;
  state_.interrupt_enable = value & kInterruptEnableMask;
}

void Serial::set_fifo_control(std::uint8_t value) {
  const bool toggled = ((value ^ state_.fifo_control) & UART_FCR_ENABLE_FIFO) != 0;
  const bool enabled = (value & UART_FCR_ENABLE_FIFO) != 0;
  if (toggled || (enabled && (value & UART_FCR_CLEAR_RCVR) != 0)) state_.received_count = 0;
  state_.fifo_control = enabled ? value & (UART_FCR_ENABLE_FIFO | kTriggerMask) : 0;
}

void Serial::set_modem_control(std::uint8_t value) {
  const auto before = modem_lines();
  state_.modem_control = value & kModemControlMask;
  const auto after = modem_lines();
  const auto changed = static_cast<std::uint8_t>((before ^ after) & ~UART_MSR_RI);
  const bool ring_ended = (before & ~after & UART_MSR_RI) != 0;
  state_.modem_deltas |= static_cast<std::uint8_t>(changed >> 4U) | (ring_ended ? UART_MSR_TERI : 0);
}

// An edge per transition from no interrupt pending to one pending: the guest reads the identification
// register until nothing is. Loopback forces OUT2, and with it the line, inactive.
void Serial::update_line() {
  const bool open = (state_.modem_control & UART_MCR_OUT2) != 0 && !loopback();
  const bool high = open && interrupt_id() != UART_IIR_NO_INT;
  if (high && !line_high_) line_.raise();
  line_high_ = high;
}

}  // namespace ktstr::vmm::kvm
