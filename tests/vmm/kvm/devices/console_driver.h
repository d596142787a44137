// ConsoleDriver: the guest's side of the virtio console, as drivers/char/virtio_console.c has it.
#pragma once

#include <doctest/doctest.h>
#include <linux/virtio_console.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "tests/vmm/kvm/devices/virtio_driver.h"

namespace ktstr::vmm::kvm::test {

inline constexpr std::uint64_t kFeatures =
    std::uint64_t{1} << VIRTIO_F_VERSION_1 | 1U << VIRTIO_CONSOLE_F_MULTIPORT;
inline constexpr std::uint16_t kControlReceive = 2, kControlTransmit = 3, kReceive = 4, kTransmit = 5;
inline constexpr std::uint32_t kBufferBytes = 256;

/// A control message.
struct Message {
  std::uint16_t event = 0;
  std::uint16_t value = 0;
  std::uint32_t port = 1;
  std::string text = {};
  friend bool operator==(const Message&, const Message&) = default;
};

inline const Message kAdd{VIRTIO_CONSOLE_PORT_ADD, 1};
inline const Message kName{VIRTIO_CONSOLE_PORT_NAME, 1, 1, "ktstr.agent"};
inline const Message kOpen{VIRTIO_CONSOLE_PORT_OPEN, 1};
inline const Message kClosed{VIRTIO_CONSOLE_PORT_OPEN, 0};

/// It waits for the device by interrupts.
class ConsoleDriver {
 public:
  ConsoleDriver(GuestRam& ram, VirtioMachine& machine) : ram_(ram), machine_(machine), driver_(machine) {}

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
  void offer(std::uint16_t queue, std::initializer_list<DriverQueue::Segment> segments) {
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
  std::optional<DriverQueue::Used> wait_used(std::uint16_t queue) {
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
  [[nodiscard]] VirtioDriver& virtio() { return driver_; }

 private:
  struct Receiving {
    std::uint16_t queue;
    GuestPhys buffer;
  };
  GuestRam& ram_;
  VirtioMachine& machine_;
  VirtioDriver driver_;
  std::deque<Receiving> receiving_;
};

}  // namespace ktstr::vmm::kvm::test
