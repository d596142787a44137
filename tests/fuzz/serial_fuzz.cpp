// The serial port under any sequence of accesses, input, and restores.
#include <cstdlib>
#include <string>

#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/register_access.h"
#include "vmm/kvm/devices/serial.h"

using namespace ktstr;
using namespace ktstr::vmm::kvm;

namespace {

struct NoLine : InterruptLine {
  void raise() override {}
};

void check(const Serial& serial) {
  const auto state = serial.state();
  if (state.received_count > Serial::kFifoBytes || (state.interrupt_enable & 0xf0) != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  NoLine line;
  std::size_t output = 0;
  Serial serial(line, [&](std::string_view bytes) { output += bytes.size(); });
  fuzz::FuzzInput input(data, size);
  while (!input.empty()) {
    const auto choice = input.take<std::uint8_t>();
    if (choice < 0xe0) {
      fuzz::access(serial, 0, Serial::kPorts, input);
    } else if (choice < 0xf0) {
      const auto bytes = input.take_bytes(choice & 0x0fU);
      serial.input({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    } else {
      const auto state = serial.state();
      serial.restore(state);
      if (serial.state() != state) std::abort();
    }
    check(serial);
  }
  if (output > size) std::abort();
  return 0;
}
