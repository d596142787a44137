#include "vmm/kvm/devices/virtio_console.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <string>

#include "tests/vmm/kvm/devices/console_driver.h"

namespace ktstr::vmm::kvm {
namespace {

using namespace test;

struct ConsoleFixture {
  ConsoleFixture() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    host = Fd(ends[0]);
    console = VirtioConsole::start(*machine.transport, Fd(ends[1])).value();
  }
  void host_sends(std::string_view text) const {
    REQUIRE(::send(host.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  }
  [[nodiscard]] std::string host_receives(std::size_t bytes) const {
    std::string text(bytes, '\0');
    const auto count = ::recv(host.get(), text.data(), text.size(), MSG_WAITALL);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }

  GuestRam ram;
  VirtioMachine machine{VirtioConsole::description(), ram.memory()};
  ConsoleDriver guest{ram, machine};
  Fd host;
  std::unique_ptr<VirtioConsole> console;
};

}  // namespace

TEST_CASE_FIXTURE(ConsoleFixture, "the guest is told of one port, its name, and that a host is there") {
  CHECK(guest.virtio().config.in32(4) == 2);
  CHECK((guest.virtio().offered() & 1U << VIRTIO_CONSOLE_F_MULTIPORT) != 0);
  guest.open_port(1);
}

TEST_CASE_FIXTURE(ConsoleFixture, "bytes go both ways") {
  guest.open_port(2);
  guest.transmit("from the guest");
  CHECK(host_receives(14) == "from the guest");
  CHECK(guest.wait_used(kTransmit).has_value());
  host_sends("from the host");
  CHECK(guest.receive(kReceive) == "from the host");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a chain of several segments is one run of bytes, either way") {
  guest.open_port(0);
  const auto text = guest.store("abcdef");
  guest.offer(kTransmit, {{text, 1}, {GuestPhys(0), 0}, {text + 1, 2}, {text + 3, 3}});
  CHECK(host_receives(6) == "abcdef");
  const auto buffer = ram.allocate(8);
  guest.offer(kReceive, {{buffer + 4, 4, true}, {buffer, 4, true}});
  host_sends("12345678");
  CHECK(guest.wait_used(kReceive)->written == 8);
  CHECK(ram.at<std::uint64_t>(buffer).load() == 0x3433323138373635);
}

TEST_CASE_FIXTURE(ConsoleFixture, "bytes wait in the socket until the guest has a buffer") {
  guest.open_port(0);
  host_sends(std::string(kBufferBytes, 'a') + "b");
  guest.add_buffers(kReceive, 1);
  CHECK(guest.receive(kReceive) == std::string(kBufferBytes, 'a'));
  guest.add_buffers(kReceive, 1);
  CHECK(guest.receive(kReceive) == "b");
}

TEST_CASE_FIXTURE(ConsoleFixture,
                  "what the socket has no room for stays with the guest until it has, and none is lost") {
  guest.open_port(0);
  const auto block = guest.store(std::string(16 * 1024, 'x'));
  constexpr int kChains = 60;
  for (int i = 0; i < kChains; ++i) guest.offer(kTransmit, {{block, 16 * 1024}});
  guest.transmit("the end");
  const auto all = host_receives(kChains * 16 * 1024 + 7);
  CHECK(all.size() == kChains * 16 * 1024 + 7);
  CHECK(all.ends_with("xthe end"));
  for (int i = 0; i < kChains + 1; ++i) CHECK(guest.wait_used(kTransmit).has_value());
}

TEST_CASE_FIXTURE(ConsoleFixture,
                  "nothing is sent to a port that the guest has closed; it goes on when it is open again") {
  guest.open_port(2);
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0}));
  host_sends("later");
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0}));  // taken after the bytes have come
  CHECK_FALSE(guest.virtio().queues[kReceive].has_used());
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 1}));
  CHECK(guest.receive(kReceive) == "later");
}

TEST_CASE_FIXTURE(ConsoleFixture, "the host's end reaches the guest behind its last byte") {
  guest.open_port(3);
  host_sends("last");
  host.reset();
  CHECK(guest.receive(kReceive) == "last");
  CHECK(guest.receive_message() == kClosed);
}

TEST_CASE_FIXTURE(ConsoleFixture, "a guest that goes on sending to a host that has gone is not held up") {
  guest.open_port(1);
  host.reset();
  CHECK(guest.receive_message() == kClosed);
  guest.transmit("to nobody");
  CHECK(guest.wait_used(kTransmit).has_value());
}

TEST_CASE_FIXTURE(ConsoleFixture, "messages wait for buffers, and asking again does not multiply them") {
  guest.start();
  for (int i = 0; i < 100; ++i) REQUIRE(guest.send({VIRTIO_CONSOLE_DEVICE_READY, 1, 0}));
  for (int i = 0; i < 100; ++i) REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_READY, 1}));
  guest.add_buffers(kControlReceive, 4);
  CHECK(guest.receive_message() == kAdd);
  CHECK(guest.receive_message() == kName);
  CHECK(guest.receive_message() == kOpen);
  REQUIRE(guest.send({VIRTIO_CONSOLE_DEVICE_READY, 0, 0}));
  CHECK_FALSE(guest.virtio().queues[kControlReceive].has_used());
}

TEST_CASE_FIXTURE(ConsoleFixture,
                  "messages of other ports, unknown events and short ones are taken and ignored") {
  guest.open_port(1);
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0, 0}));
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0, ~0U}));
  REQUIRE(guest.send({0xffff, 0xffff}));
  guest.offer(kControlTransmit, {{guest.store("short"), 5}});
  REQUIRE(guest.wait_used(kControlTransmit).has_value());
  host_sends("still open");
  CHECK(guest.receive(kReceive) == "still open");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a buffer without room is given back empty, not taken for the host's end") {
  guest.open_port(0);
  guest.offer(kReceive, {{GuestPhys(0), 0, true}});
  guest.add_buffers(kReceive, 1);
  CHECK(guest.wait_used(kReceive)->written == 0);
  host_sends("here");
  CHECK(guest.receive(kReceive) == "here");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a guest that breaks the rules is told to reset the device, and may") {
  guest.open_port(0);
  guest.offer(kTransmit, {{ram.end(), 1}});
  CHECK(guest.wait_failed());
  CHECK(machine.interrupts.count(0) == 1);
  guest.open_port(1);
  host_sends("again");
  CHECK(guest.receive(kReceive) == "again");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a buffer too small for a message breaks the rules") {
  guest.start();
  guest.offer(kControlReceive, {{ram.allocate(8), 7, true}});
  guest.offer(kControlTransmit, {{ram.allocate(8), 0}});
  REQUIRE(guest.wait_used(kControlTransmit).has_value());
  const auto ready = ram.allocate(8);
  ram.at<std::uint64_t>(ready) = std::uint64_t{1} << 48U;
  guest.offer(kControlTransmit, {{ready, 8}});
  CHECK(guest.wait_failed());
}

TEST_CASE_FIXTURE(ConsoleFixture, "a reset begins anew") {
  guest.open_port(4);
  guest.open_port(4);
  guest.transmit("second life");
  CHECK(host_receives(11) == "second life");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a paused console touches nothing, and goes on when it is resumed") {
  guest.open_port(1);
  console->pause();
  console->pause();
  host_sends("held");
  guest.transmit("back");
  CHECK_FALSE(guest.virtio().queues[kReceive].has_used());
  CHECK_FALSE(guest.virtio().queues[kTransmit].has_used());
  console->resume();
  CHECK(guest.receive(kReceive) == "held");
  CHECK(host_receives(4) == "back");
}

TEST_CASE_FIXTURE(ConsoleFixture, "a console ends while it is paused, and while the socket is full") {
  guest.open_port(0);
  const auto block = guest.store(std::string(64 * 1024, 'x'));
  for (int i = 0; i < 40; ++i) guest.offer(kTransmit, {{block, 64 * 1024}});
  pollfd sent{host.get(), POLLIN, 0};
  REQUIRE(::poll(&sent, 1, 10'000) == 1);
  console->pause();
  console.reset();
  std::string got(40 * 64 * 1024, '\0');
  const auto count = ::recv(host.get(), got.data(), got.size(), MSG_DONTWAIT);
  REQUIRE(count > 0);
  CHECK(count < 40 * 64 * 1024);  // the socket was full: what did not fit was not sent
  got.resize(static_cast<std::size_t>(count));
  CHECK(got == std::string(got.size(), 'x'));
  while (::recv(host.get(), got.data(), got.size(), MSG_DONTWAIT) > 0) continue;
  CHECK(::recv(host.get(), got.data(), got.size(), MSG_DONTWAIT) == 0);  // its end of the socket is closed
}

TEST_CASE_FIXTURE(ConsoleFixture,
                  "a restored console goes on in the middle of a chain, with another socket") {
  guest.open_port(2);
  std::string text(600 * 1024, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  guest.transmit(text);
  auto got = host_receives(1000);
  console->pause();
  const auto sent = console->state().sent;
  got += host_receives(sent - got.size());
  REQUIRE(sent < text.size());

  VirtioMachine fresh(VirtioConsole::description(), ram.memory());
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  const Fd new_host(ends[0]);
  const auto restored = VirtioConsole::start(*fresh.transport, Fd(ends[1])).value();
  restored->pause();
  fresh.pci.restore(machine.pci.state());
  fresh.transport->restore(machine.transport->state());
  restored->restore(console->state());
  CHECK(restored->state() == console->state());
  restored->resume();
  std::string rest(text.size() - sent, '\0');
  CHECK(::recv(new_host.get(), rest.data(), rest.size(), MSG_WAITALL) == static_cast<ssize_t>(rest.size()));
  CHECK(got + rest == text);
  CHECK(::send(new_host.get(), "hi", 2, 0) == 2);
  CHECK(fresh.interrupts.wait_until([&] { return guest.virtio().queues[kReceive].has_used(); }));
  CHECK(guest.receive(kReceive) == "hi");
}

}  // namespace ktstr::vmm::kvm
