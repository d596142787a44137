#include "vmm/kvm/devices/serial.h"

#include <doctest/doctest.h>
#include <linux/serial_reg.h>

#include <string>

#include "tests/vmm/kvm/devices/registers.h"

namespace ktstr::vmm::kvm {
namespace {

struct CountingLine : InterruptLine {
  void raise() override { ++raised; }
  int raised = 0;
};

/// A serial port and what comes out of it.
struct Port {
  CountingLine line;
  std::string output;
  Serial serial{line, [this](std::string_view bytes) { output += bytes; }};
  test::Registers registers{serial};

  [[nodiscard]] std::uint8_t in(std::uint64_t offset) const { return registers.in8(offset); }
  void out(std::uint64_t offset, unsigned value) const {
    registers.out8(offset, static_cast<std::uint8_t>(value));
  }
  /// What serial8250_do_startup() leaves: FIFOs on, interrupts gated through.
  void start() const {
    out(UART_FCR, UART_FCR_ENABLE_FIFO);
    out(UART_LCR, UART_LCR_WLEN8);
    out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Port, "autoconfig() finds a port: its interrupt enable register and loopback work") {
  out(UART_IER, 0);
  CHECK((in(UART_IER)&0x0f) == 0);
  out(UART_IER, 0x0f);
  CHECK((in(UART_IER)&0x0f) == 0x0f);
  out(UART_IER, 0);
  out(UART_MCR, UART_MCR_LOOP | 0x0a);
  CHECK((in(UART_MSR)&0xf0) == 0x90);
  out(UART_MCR, 0);
  CHECK((in(UART_MSR)&0xf0) == (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS));
}

TEST_CASE_FIXTURE(Port, "autoconfig() takes it for a 16550A and for nothing newer") {
  out(UART_LCR, UART_LCR_CONF_MODE_B);
  out(UART_EFR, 0);
  out(UART_LCR, 0);
  CHECK((in(UART_IIR) >> 6) == 0);
  out(UART_FCR, UART_FCR_ENABLE_FIFO);
  CHECK((in(UART_IIR) >> 6) == 3);
  out(UART_LCR, UART_LCR_CONF_MODE_A);
  CHECK(in(UART_EFR) != 0);  // not a 16650
  out(UART_LCR, UART_LCR_CONF_MODE_B);
  CHECK(in(UART_EFR) != 0);
  out(UART_LCR, 0);
  out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
  CHECK((in(UART_IIR) >> 5) == 6);
  out(UART_LCR, UART_LCR_CONF_MODE_A);
  out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
  CHECK((in(UART_IIR) >> 5) == 6);  // not a 16750
  out(UART_LCR, 0);
  out(UART_IER, UART_IER_UUE);
  CHECK((in(UART_IER)&UART_IER_UUE) == 0);  // not an XScale
}

TEST_CASE_FIXTURE(Port, "size_fifo() counts 16 bytes in loopback, and none of them comes out") {
  out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
  out(UART_MCR, UART_MCR_LOOP);
  for (unsigned i = 0; i < 256; ++i) out(UART_TX, i);
  CHECK((in(UART_LSR) & (UART_LSR_DR | UART_LSR_OE)) == (UART_LSR_DR | UART_LSR_OE));
  CHECK((in(UART_LSR)&UART_LSR_OE) == 0);
  unsigned count = 0;
  for (; count < 256 && (in(UART_LSR)&UART_LSR_DR) != 0; ++count) CHECK(in(UART_RX) == count);
  CHECK(count == 16);
  CHECK(output.empty());
  CHECK(line.raised == 0);
}

TEST_CASE_FIXTURE(Port, "the divisor latch hides the data and interrupt enable registers") {
  out(UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
  out(UART_DLL, 0x34);
  out(UART_DLM, 0x12);
  CHECK(in(UART_DLL) == 0x34);
  CHECK(in(UART_DLM) == 0x12);
  CHECK(in(UART_LCR) == (UART_LCR_DLAB | UART_LCR_WLEN8));
  out(UART_LCR, UART_LCR_WLEN8);
  CHECK(in(UART_IER) == 0);
  CHECK(output.empty());
}

TEST_CASE_FIXTURE(Port, "the console writes by polling an always empty transmitter") {
  for (const char c : std::string("hello\n")) {
    CHECK((in(UART_LSR) & (UART_LSR_THRE | UART_LSR_TEMT)) == (UART_LSR_THRE | UART_LSR_TEMT));
    out(UART_TX, static_cast<unsigned char>(c));
  }
  CHECK(output == "hello\n");
  CHECK(line.raised == 0);
}

TEST_CASE_FIXTURE(Port, "the THRE test of the driver's startup passes: enabling asserts the interrupt anew") {
  out(UART_IER, UART_IER_THRI);
  CHECK((in(UART_IIR)&UART_IIR_NO_INT) == 0);
  CHECK((in(UART_IIR)&UART_IIR_NO_INT) != 0);
  out(UART_IER, 0);
  out(UART_IER, UART_IER_THRI);
  CHECK((in(UART_IIR)&UART_IIR_NO_INT) == 0);
  CHECK(line.raised == 0);  // OUT2 is not set yet
}

TEST_CASE_FIXTURE(Port,
                  "transmitting by interrupts: one edge to begin with, one after each acknowledgement") {
  start();
  out(UART_IER, UART_IER_THRI);
  CHECK(line.raised == 1);
  CHECK((in(UART_IIR)&0x0f) == UART_IIR_THRI);
  out(UART_TX, 'a');
  out(UART_TX, 'b');
  CHECK(line.raised == 2);
  CHECK((in(UART_IIR)&0x0f) == UART_IIR_THRI);
  out(UART_IER, 0);
  CHECK((in(UART_IIR)&0x0f) == UART_IIR_NO_INT);
  CHECK(line.raised == 2);
  CHECK(output == "ab");
}

TEST_CASE_FIXTURE(Port, "input raises an interrupt, and what does not fit is left to the sender") {
  start();
  out(UART_IER, UART_IER_RDI);
  CHECK(serial.input("0123456789abcdefXYZ") == 16);
  CHECK(line.raised == 1);
  CHECK(in(UART_IIR) == (0xc0 | UART_IIR_RDI));
  CHECK(in(UART_RX) == '0');
  CHECK(serial.input("XYZ") == 1);
  out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
  CHECK((in(UART_LSR)&UART_LSR_DR) == 0);
  CHECK((in(UART_IIR)&UART_IIR_NO_INT) != 0);
}

TEST_CASE_FIXTURE(Port, "without FIFOs the receiver holds one byte") {
  CHECK(serial.input("ab") == 1);
  out(UART_MCR, UART_MCR_LOOP);
  CHECK(serial.input("c") == 0);
}

TEST_CASE_FIXTURE(Port, "changed modem lines are told once") {
  start();
  out(UART_IER, UART_IER_MSI);
  out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
  CHECK((in(UART_MSR)&UART_MSR_ANY_DELTA) == (UART_MSR_DDCD | UART_MSR_DDSR | UART_MSR_DCTS));
  out(UART_MCR, UART_MCR_OUT2);
  CHECK(line.raised == 1);
  CHECK((in(UART_IIR)&0x0f) == UART_IIR_MSI);
  CHECK((in(UART_MSR)&UART_MSR_TERI) != 0);
  CHECK((in(UART_MSR)&UART_MSR_ANY_DELTA) == 0);
}

TEST_CASE_FIXTURE(Port, "a wide access is an access per byte") {
  registers.out16(UART_MCR, 0x0003);
  registers.out32(UART_LSR, 0x5a0000);
  CHECK(registers.in16(UART_LCR) == 0x0300);
  CHECK(in(UART_SCR) == 0x5a);
}

TEST_CASE_FIXTURE(Port, "a restored port goes on where it was, with its interrupt pending") {
  start();
  out(UART_SCR, 0x5a);
  out(UART_IER, UART_IER_RDI | UART_IER_THRI);
  serial.input("in");
  Port fresh;
  fresh.serial.restore(serial.state());
  CHECK(fresh.serial.state() == serial.state());
  CHECK(fresh.line.raised == 1);
  CHECK(fresh.in(UART_IIR) == (0xc0 | UART_IIR_RDI));
  CHECK(fresh.in(UART_RX) == 'i');
  CHECK(fresh.in(UART_RX) == 'n');
  CHECK(fresh.in(UART_IIR) == (0xc0 | UART_IIR_THRI));
  CHECK(fresh.in(UART_SCR) == 0x5a);
}

}  // namespace ktstr::vmm::kvm
