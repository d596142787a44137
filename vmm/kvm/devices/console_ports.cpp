#include "vmm/kvm/devices/console_ports.h"

#include <linux/virtio_console.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "vmm/channel_device.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint16_t kDeviceId = 3;          // 5.3.1
constexpr std::uint32_t kClassCode = 0x078000;  // communication controller, other
constexpr std::uint16_t kQueueSize = 64;
constexpr std::uint32_t kPorts = 2;
constexpr std::uint32_t kChannelPort = 1;
constexpr unsigned kChainsPerCall = 256;  // bounds how long the transport's lock is held

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/// Iovecs of all but the first `skip` bytes.
std::vector<iovec> vectors_of(std::span<const std::span<std::byte>> segments, std::uint64_t skip) {
  std::vector<iovec> vectors;
  for (auto segment : segments) {
    const auto skipped = std::min<std::uint64_t>(skip, segment.size());
    skip -= skipped;
    segment = segment.subspan(skipped);
    if (!segment.empty()) vectors.push_back({segment.data(), segment.size()});
  }
  return vectors;
}

msghdr header_of(std::vector<iovec>& vectors) {
  msghdr header{};
  header.msg_iov = vectors.data();
  header.msg_iovlen = vectors.size();
  return header;
}

/// Copies as much as both have.
std::size_t gather(std::span<const std::span<std::byte>> segments, std::span<std::byte> to) {
  std::size_t copied = 0;
  for (const auto segment : segments) {
    const auto piece = segment.first(std::min(segment.size(), to.size() - copied));
    std::ranges::copy(piece, to.begin() + static_cast<std::ptrdiff_t>(copied));
    copied += piece.size();
  }
  return copied;
}

std::size_t scatter(std::span<const std::byte> from, std::span<const std::span<std::byte>> segments) {
  std::size_t copied = 0;
  for (const auto segment : segments) {
    const auto piece = from.subspan(copied, std::min(segment.size(), from.size() - copied));
    std::ranges::copy(piece, segment.begin());
    copied += piece.size();
  }
  return copied;
}

}  // namespace

// 5.3.2: two queues per port, and those of the control messages behind port 0's.
enum ConsolePorts::Queue : std::uint16_t {
  kControlReceive = 2,
  kControlTransmit = 3,
  kPortReceive = 4,
  kPortTransmit = 5,
};

struct ConsolePorts::Message : virtio_console_control {};

VirtioDescription ConsolePorts::description() {
  virtio_console_config config{};
  config.max_nr_ports = kPorts;
  const auto bytes = std::as_bytes(std::span(&config, 1));
  return {.device_id = kDeviceId,
          .class_code = kClassCode,
          .features = std::uint64_t{1} << VIRTIO_CONSOLE_F_MULTIPORT,
          .queues = kQueues,
          .queue_size = kQueueSize,
          .config = {bytes.begin(), bytes.end()}};
}

ConsolePorts::Wants ConsolePorts::process() {
  const auto resets = transport_.common().resets();
  if (resets != state_.resets) {
    state_ = State{};
    state_.resets = resets;
  }
  if (!transport_.running()) return {};
  budget_ = kChainsPerCall;
  used_.fill(false);
  Wants wants;
  if (move_all(wants)) return wants;
  transport_.fail();
  return {};
}

Status ConsolePorts::move_all(Wants& wants) {
  KTSTR_TRY(take_messages());
  KTSTR_TRY(transmit(wants));
  KTSTR_TRY(receive(wants));
  KTSTR_TRY(send_messages());
  wants.again = budget_ == 0;
  return interrupt_used();
}

Result<std::optional<VirtqueueChain>> ConsolePorts::next(Queue queue) {
  if (budget_ == 0) return std::optional<VirtqueueChain>();
  auto chain = KTSTR_TRY(transport_.common().queue(queue).peek());
  if (chain) --budget_;
  return chain;
}

Status ConsolePorts::finish(Queue queue, const VirtqueueChain& chain, std::size_t written) {
  auto& ring = transport_.common().queue(queue);
  ring.pop();
  used_[queue] = true;
  return ring.push(chain.head, static_cast<std::uint32_t>(written));
}

Status ConsolePorts::interrupt_used() {
  for (std::uint16_t queue = 0; queue < kQueues; ++queue)
    if (used_[queue] && KTSTR_TRY(transport_.common().queue(queue).wants_interrupt()))
      transport_.interrupt(queue);
  return ok();
}

Status ConsolePorts::take_messages() {
  while (const auto chain = KTSTR_TRY(next(kControlTransmit))) {
    Message message{};
    const auto copied = gather(chain->readable, std::as_writable_bytes(std::span(&message, 1)));
    if (copied == sizeof(message)) handle(message);
    KTSTR_TRY(finish(kControlTransmit, *chain, 0));
  }
  return ok();
}

// 5.3.6.2. The answers are owed until the guest has buffers for them, and each only once, however often it
// asks.
void ConsolePorts::handle(const Message& message) {
  if (message.event == VIRTIO_CONSOLE_DEVICE_READY) {
    state_.add_owed = message.value == 1;
  } else if (message.id == kChannelPort && message.event == VIRTIO_CONSOLE_PORT_READY) {
    state_.port_ready = state_.name_owed = message.value == 1;
    state_.told_open = false;
  } else if (message.id == kChannelPort && message.event == VIRTIO_CONSOLE_PORT_OPEN) {
    state_.guest_open = message.value == 1;
  }
}

bool ConsolePorts::message_owed() const {
  return state_.add_owed || state_.name_owed || (state_.port_ready && state_.told_open != host_connected_);
}

std::size_t ConsolePorts::write_owed_message(std::span<std::byte> to) {
  Message message{};
  message.id = kChannelPort;
  message.value = 1;
  std::string_view name;
  if (state_.add_owed) {
    message.event = VIRTIO_CONSOLE_PORT_ADD;
    state_.add_owed = false;
  } else if (state_.name_owed) {
    message.event = VIRTIO_CONSOLE_PORT_NAME;
    name = kChannelPortName;
    state_.name_owed = false;
  } else {
    message.event = VIRTIO_CONSOLE_PORT_OPEN;
    message.value = host_connected_ ? 1 : 0;
    state_.told_open = host_connected_;
  }
  std::memcpy(to.data(), &message, sizeof(message));
  std::ranges::copy(std::as_bytes(std::span(name)), to.begin() + sizeof(message));
  return sizeof(message) + name.size();
}

Status ConsolePorts::send_messages() {
  while (message_owed()) {
    const auto chain = KTSTR_TRY(next(kControlReceive));
    if (!chain) return ok();
    std::array<std::byte, sizeof(Message) + kChannelPortName.size()> bytes{};
    const auto length = write_owed_message(bytes);
    const auto written = scatter(std::span(bytes).first(length), chain->writable);
    if (written < length) return corrupted("virtio console: buffer too small for a message");
    KTSTR_TRY(finish(kControlReceive, *chain, written));
  }
  return ok();
}

Status ConsolePorts::transmit(Wants& wants) {
  while (const auto chain = KTSTR_TRY(next(kPortTransmit))) {
    auto vectors = vectors_of(chain->readable, state_.sent);
    while (host_writable_ && !vectors.empty()) {
      const auto header = header_of(vectors);
      const auto count = ::sendmsg(socket_, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count < 0 && would_block()) {
        wants.writable = true;
        return ok();
      }
      host_writable_ = count > 0;
      if (host_writable_) state_.sent += static_cast<std::uint32_t>(count);
      vectors = vectors_of(chain->readable, state_.sent);
    }
    state_.sent = 0;
    KTSTR_TRY(finish(kPortTransmit, *chain, 0));
  }
  return ok();
}

Status ConsolePorts::receive(Wants& wants) {
  while (state_.guest_open && host_connected_) {
    const auto chain = KTSTR_TRY(next(kPortReceive));
    if (!chain) return ok();
    auto vectors = vectors_of(chain->writable, 0);
    std::size_t written = 0;
    if (!vectors.empty()) {
      auto header = header_of(vectors);
      const auto count = ::recvmsg(socket_, &header, MSG_DONTWAIT);
      wants.readable = count < 0 && would_block();
      if (wants.readable) return ok();
      host_connected_ = count > 0;
      if (!host_connected_) return ok();
      written = static_cast<std::size_t>(count);
    }
    KTSTR_TRY(finish(kPortReceive, *chain, written));
  }
  return ok();
}

}  // namespace ktstr::vmm::kvm
