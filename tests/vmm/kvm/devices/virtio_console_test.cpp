#include "vmm/kvm/devices/virtio_console.h"

#include <doctest/doctest.h>
#include <linux/virtio_console.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <deque>
#include <string>

#include "tests/vmm/kvm/devices/virtio_driver.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kFeatures = std::uint64_t{1} << VIRTIO_F_VERSION_1 | 1U << VIRTIO_CONSOLE_F_MULTIPORT;
constexpr std::uint16_t kControlReceive = 2, kControlTransmit = 3, kReceive = 4, kTransmit = 5;
constexpr std::uint32_t kBufferBytes = 256;

struct Message {
  std::uint16_t event = 0;
  std::uint16_t value = 0;
  std::uint32_t port = 1;
  std::string text = {};
  friend bool operator==(const Message&, const Message&) = default;
};

const Message kAdd{VIRTIO_CONSOLE_PORT_ADD, 1};
const Message kName{VIRTIO_CONSOLE_PORT_NAME, 1, 1, "ktstr.agent"};
const Message kOpen{VIRTIO_CONSOLE_PORT_OPEN, 1};
const Message kClosed{VIRTIO_CONSOLE_PORT_OPEN, 0};

/// As drivers/char/virtio_console.c: it waits for the device by interrupts.
class ConsoleDriver {
 public:
  ConsoleDriver(test::GuestRam& ram, test::VirtioMachine& machine)
      : ram_(ram), machine_(machine), driver_(machine) {}

  void start() {
    receiving_.clear();
    driver_.start(ram_, kFeatures);
  }
  void add_buffers(std::uint16_t queue, int count) {
    for (; count > 0; --count) {
      const auto buffer = ram_.allocate(kBufferBytes);
      receiving_.push_back({queue, buffer});
      driver_.queues[queue].offer({{buffer, kBufferBytes, true}});
    }
    driver_.kick(queue);
  }
  /// __send_control_msg(): spins until the device has taken it.
  bool send(const Message& message) {
    const auto buffer = ram_.allocate(8);
    ram_.at<std::uint64_t>(buffer) =
        message.port | std::uint64_t{message.event} << 32U | std::uint64_t{message.value} << 48U;
    offer(kControlTransmit, {{buffer, 8}});
    return wait_used(kControlTransmit).has_value();
  }
  std::optional<Message> receive_message() {
    const auto text = receive(kControlReceive);
    if (text.size() < 8) return std::nullopt;
    virtio_console_control header{};
    std::memcpy(&header, text.data(), sizeof(header));
    return Message{header.event, header.value, header.id, text.substr(sizeof(header))};
  }
  /// The content of the next buffer that comes back.
  std::string receive(std::uint16_t queue) {
    const auto used = wait_used(queue);
    if (!used) return {};
    const auto oldest = std::ranges::find(receiving_, queue, &Receiving::queue);
    const auto bytes = ram_.bytes(oldest->buffer, used->written);
    receiving_.erase(oldest);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  void offer(std::uint16_t queue, std::initializer_list<test::DriverQueue::Segment> segments) {
    driver_.queues[queue].offer(segments);
    driver_.kick(queue);
  }
  void transmit(std::string_view text) {
    offer(kTransmit, {{store(text), static_cast<std::uint32_t>(text.size())}});
  }
  [[nodiscard]] GuestPhys store(std::string_view text) {
    const auto buffer = ram_.allocate(text.size());
    std::ranges::copy(std::as_bytes(std::span(text)), ram_.bytes(buffer, text.size()).begin());
    return buffer;
  }
  std::optional<test::DriverQueue::Used> wait_used(std::uint16_t queue) {
    auto& ring = driver_.queues[queue];
    if (!machine_.interrupts.wait_until([&] { return ring.has_used(); })) return std::nullopt;
    return ring.take_used();
  }
  bool wait_failed() {
    return machine_.interrupts.wait_until(
        [&] { return (driver_.status() & VIRTIO_CONFIG_S_NEEDS_RESET) != 0; });
  }
  /// What the guest does until a process has the port open, with `buffers` to receive in.
  void open_port(int buffers) {
    start();
    add_buffers(kControlReceive, 8);
    REQUIRE(send({VIRTIO_CONSOLE_DEVICE_READY, 1, 0}));
    CHECK(receive_message() == kAdd);
    add_buffers(kReceive, buffers);
    REQUIRE(send({VIRTIO_CONSOLE_PORT_READY, 1}));
    CHECK(receive_message() == kName);
    CHECK(receive_message() == kOpen);
    REQUIRE(send({VIRTIO_CONSOLE_PORT_OPEN, 1}));
  }
  [[nodiscard]] test::VirtioDriver& virtio() { return driver_; }

 private:
  struct Receiving {
    std::uint16_t queue;
    GuestPhys buffer;
  };
  test::GuestRam& ram_;
  test::VirtioMachine& machine_;
  test::VirtioDriver driver_;
  std::deque<Receiving> receiving_;
};

struct Fixture {
  Fixture() {
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

  test::GuestRam ram;
  test::VirtioMachine machine{VirtioConsole::description(), ram.memory()};
  ConsoleDriver guest{ram, machine};
  Fd host;
  std::unique_ptr<VirtioConsole> console;
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "the guest is told of one port, its name, and that a host is there") {
  CHECK(guest.virtio().config.in32(4) == 2);
  CHECK((guest.virtio().offered() & 1U << VIRTIO_CONSOLE_F_MULTIPORT) != 0);
  guest.open_port(1);
}

TEST_CASE_FIXTURE(Fixture, "bytes go both ways") {
  guest.open_port(2);
  guest.transmit("from the guest");
  CHECK(host_receives(14) == "from the guest");
  CHECK(guest.wait_used(kTransmit).has_value());
  host_sends("from the host");
  CHECK(guest.receive(kReceive) == "from the host");
}

TEST_CASE_FIXTURE(Fixture, "a chain of several segments is one run of bytes, either way") {
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

TEST_CASE_FIXTURE(Fixture, "bytes wait in the socket until the guest has a buffer") {
  guest.open_port(0);
  host_sends(std::string(kBufferBytes, 'a') + "b");
  guest.add_buffers(kReceive, 1);
  CHECK(guest.receive(kReceive) == std::string(kBufferBytes, 'a'));
  guest.add_buffers(kReceive, 1);
  CHECK(guest.receive(kReceive) == "b");
}

TEST_CASE_FIXTURE(Fixture,
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

TEST_CASE_FIXTURE(Fixture,
                  "nothing is sent to a port that the guest has closed; it goes on when it is open again") {
  guest.open_port(2);
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0}));
  host_sends("later");
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0}));  // taken after the bytes have come
  CHECK_FALSE(guest.virtio().queues[kReceive].has_used());
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 1}));
  CHECK(guest.receive(kReceive) == "later");
}

TEST_CASE_FIXTURE(Fixture, "the host's end reaches the guest behind its last byte") {
  guest.open_port(3);
  host_sends("last");
  host.reset();
  CHECK(guest.receive(kReceive) == "last");
  CHECK(guest.receive_message() == kClosed);
}

TEST_CASE_FIXTURE(Fixture, "a guest that goes on sending to a host that has gone is not held up") {
  guest.open_port(1);
  host.reset();
  CHECK(guest.receive_message() == kClosed);
  guest.transmit("to nobody");
  CHECK(guest.wait_used(kTransmit).has_value());
}

TEST_CASE_FIXTURE(Fixture, "messages wait for buffers, and asking again does not multiply them") {
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

TEST_CASE_FIXTURE(Fixture, "messages of other ports, unknown events and short ones are taken and ignored") {
  guest.open_port(1);
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0, 0}));
  REQUIRE(guest.send({VIRTIO_CONSOLE_PORT_OPEN, 0, ~0U}));
  REQUIRE(guest.send({0xffff, 0xffff}));
  guest.offer(kControlTransmit, {{guest.store("short"), 5}});
  REQUIRE(guest.wait_used(kControlTransmit).has_value());
  host_sends("still open");
  CHECK(guest.receive(kReceive) == "still open");
}

TEST_CASE_FIXTURE(Fixture, "a buffer without room is given back empty, not taken for the host's end") {
  guest.open_port(0);
  guest.offer(kReceive, {{GuestPhys(0), 0, true}});
  guest.add_buffers(kReceive, 1);
  CHECK(guest.wait_used(kReceive)->written == 0);
  host_sends("here");
  CHECK(guest.receive(kReceive) == "here");
}

TEST_CASE_FIXTURE(Fixture, "a guest that breaks the rules is told to reset the device, and may") {
  guest.open_port(0);
  guest.offer(kTransmit, {{ram.end(), 1}});
  CHECK(guest.wait_failed());
  CHECK(machine.interrupts.count(0) == 1);
  guest.open_port(1);
  host_sends("again");
  CHECK(guest.receive(kReceive) == "again");
}

TEST_CASE_FIXTURE(Fixture, "a buffer too small for a message breaks the rules") {
  guest.start();
  guest.offer(kControlReceive, {{ram.allocate(8), 7, true}});
  guest.offer(kControlTransmit, {{ram.allocate(8), 0}});
  REQUIRE(guest.wait_used(kControlTransmit).has_value());
  const auto ready = ram.allocate(8);
  ram.at<std::uint64_t>(ready) = std::uint64_t{1} << 48U;
  guest.offer(kControlTransmit, {{ready, 8}});
  CHECK(guest.wait_failed());
}

TEST_CASE_FIXTURE(Fixture, "a reset begins anew") {
  guest.open_port(4);
  guest.open_port(4);
  guest.transmit("second life");
  CHECK(host_receives(11) == "second life");
}

TEST_CASE_FIXTURE(Fixture, "a paused console touches nothing, and goes on when it is resumed") {
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

TEST_CASE_FIXTURE(Fixture, "a console ends while it is paused, and while the socket is full") {
  guest.open_port(0);
  const auto block = guest.store(std::string(64 * 1024, 'x'));
  for (int i = 0; i < 40; ++i) guest.offer(kTransmit, {{block, 64 * 1024}});
  console->pause();
  console.reset();
  CHECK(host.get() >= 0);
}

TEST_CASE_FIXTURE(Fixture, "a restored console goes on in the middle of a chain, with another socket") {
  guest.open_port(2);
  std::string text(600 * 1024, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  guest.transmit(text);
  auto got = host_receives(1000);
  console->pause();
  const auto sent = console->state().sent;
  got += host_receives(sent - got.size());
  REQUIRE(sent < text.size());

  test::VirtioMachine fresh(VirtioConsole::description(), ram.memory());
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
