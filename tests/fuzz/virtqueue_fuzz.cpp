// The virtio console, its transport and its queues under a driver that does anything to registers and rings.
#include <sys/socket.h>

#include <cstdlib>

#include "engine/base/fd.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/register_access.h"
#include "tests/vmm/kvm/devices/virtio_driver.h"
#include "vmm/kvm/devices/console_ports.h"

using namespace ktstr;
using namespace ktstr::vmm::kvm;

namespace {

constexpr std::size_t kPages = 8;
constexpr std::uint64_t kFeatures = std::uint64_t{1} << VIRTIO_F_VERSION_1 | 2;

struct Sockets {
  Sockets() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    host.reset(ends[0]);
    channel.reset(ends[1]);
  }
  Fd host, channel;
};

/// A guest whose driver has set the device up in an orderly way.
struct Guest {
  Guest() { driver.start(ram, kFeatures); }
  void process() {
    const auto held = transport.lock();
    ports.process();
  }
  /// Everything that a snapshot has, put back.
  void restore() {
    const auto state = transport.state();
    const auto function = machine.pci.state();
    transport.restore(state);
    machine.pci.restore(function);
    if (machine.pci.state() != function) std::abort();
    ports.restore(ports.state());
  }
  test::GuestRam ram{kPages};
  test::VirtioMachine machine{ConsolePorts::description(), ram.memory()};
  VirtioPci& transport = *machine.transport;
  test::VirtioDriver driver{machine};
  Sockets sockets;
  ConsolePorts ports{transport, sockets.channel.get()};
};

/// One that is mostly in RAM.
GuestPhys take_address(fuzz::FuzzInput& input) {
  const auto place = input.take<std::uint16_t>();
  return place < 0xfff0 ? test::GuestRam::kBase + place : GuestPhys(input.take<std::uint64_t>());
}

void change_descriptor(Guest& guest, test::DriverQueue& queue, fuzz::FuzzInput& input) {
  const auto index = static_cast<std::uint16_t>(input.take<std::uint8_t>() % queue.layout().size);
  const auto address = take_address(input);
  const auto bytes = input.take<std::uint16_t>();
  const auto flags = input.take<std::uint8_t>();
  queue.set_descriptor(index, address, bytes >= 0xfff0 ? ~0U : bytes, flags & 7U, flags >> 3U);
  if ((flags & 0x80U) != 0) guest.driver.kick(0);
}

/// One or two buffers of the kind that the queue is for: even queues receive.
void offer_buffer(std::uint8_t queue, Guest& guest, fuzz::FuzzInput& input) {
  const auto bytes = input.take<std::uint8_t>();
  const auto address = take_address(input);
  const test::DriverQueue::Segment segment{address, bytes * 4U, queue % 2 == 0};
  if (bytes % 2 == 0)
    guest.driver.queues[queue].offer({segment});
  else
    guest.driver.queues[queue].offer({{address, bytes, queue % 2 == 0}, segment});
}

/// A control message that the device understands.
void send_message(Guest& guest, fuzz::FuzzInput& input) {
  const auto choice = input.take<std::uint8_t>();
  const auto at = test::GuestRam::kBase + (kPages - 1) * 4096;
  guest.ram.at<std::uint64_t>(at) = 1 | std::uint64_t{choice % 8U} << 32U | std::uint64_t{1} << 48U;
  guest.driver.queues[3].offer({{at, 8}});
}

void host_acts(Guest& guest, std::uint8_t choice) {
  std::array<char, 512> bytes{};
  if (choice % 4 == 0)
    ::recv(guest.sockets.host.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  else if (choice % 16 == 1)
    ::shutdown(guest.sockets.host.get(), SHUT_RDWR);
  else
    ::send(guest.sockets.host.get(), bytes.data(), choice, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void step(Guest& guest, fuzz::FuzzInput& input) {
  const auto choice = input.take<std::uint8_t>();
  auto& queue = guest.driver.queues[choice % guest.driver.queues.size()];
  if (choice < 0x50) {
    change_descriptor(guest, queue, input);
  } else if (choice < 0x80) {
    queue.make_available(input.take<std::uint8_t>() % (queue.layout().size + 1U));
  } else if (choice < 0x90) {
    guest.process();
  } else if (choice < 0xa0) {
    offer_buffer(choice % 6U, guest, input);
  } else if (choice < 0xb0) {
    send_message(guest, input);
  } else if (choice < 0xc0) {
    host_acts(guest, input.take<std::uint8_t>());
  } else if (choice < 0xd0) {
    fuzz::access(guest.machine.mmio, kPciWindow.value(), 0x1000, input);
  } else if (choice < 0xe0) {
    fuzz::access(guest.machine.mmio, kPciWindow.value(), VirtioPci::kBarBytes, input);
  } else if (choice < 0xf0) {
    const auto at = input.take<std::uint16_t>() % (kPages * 4096 - 8) & ~7U;
    guest.ram.at<std::uint64_t>(test::GuestRam::kBase + at) = input.take<std::uint64_t>();
  } else if (choice < 0xf8) {
    guest.restore();
  } else {
    guest.driver.negotiate(kFeatures);
    guest.driver.set_queue(choice % 6U, queue.layout());
    guest.driver.add_status(VIRTIO_CONFIG_S_DRIVER_OK);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Guest guest;
  fuzz::FuzzInput input(data, size);
  while (!input.empty()) step(guest, input);
  guest.process();
  return 0;
}
