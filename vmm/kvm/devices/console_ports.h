// ConsolePorts: the protocol of the virtio console, between its queues and a socket.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "engine/base/result.h"
#include "vmm/kvm/devices/virtio_pci.h"

namespace ktstr::vmm::kvm {

/// A virtio console with two ports (virtio 1.2, 5.3, VIRTIO_CONSOLE_F_MULTIPORT). Port 0, which by convention
/// is a console, is never added, so that the guest's only port is port 1, with the name kChannelPortName. The
/// bytes of port 1 go to and from a socket.
///
/// Nothing is taken from the socket unless the guest has the port open and a buffer for it, and nothing from
/// the guest that the socket does not take, so no byte is lost. It has no thread: someone calls process().
/// Call everything with the transport's lock() held.
class ConsolePorts {
 public:
  /// What process() waits for, besides the transport's kick_fd().
  struct Wants {
    bool readable = false;  ///< the socket
    bool writable = false;  ///< likewise
    bool again = false;     ///< nothing: there is more to do at once
  };
  /// Everything that a snapshot must keep. Whether a host is connected is not part of it.
  struct State {
    std::uint64_t resets = 0;  ///< VirtioCommon::resets() that the rest belongs to
    bool add_owed = false;     ///< port 1 is still to be announced
    bool name_owed = false;    ///< its name is still to be told
    bool port_ready = false;   ///< the guest has the port
    bool told_open = false;    ///< the guest believes that a host is connected
    bool guest_open = false;   ///< a process of the guest has the port open
    std::uint32_t sent = 0;    ///< bytes of the next chain to transmit that the socket has taken already
    friend bool operator==(const State&, const State&) = default;
  };

  /// What VirtioPci::create() needs to know.
  [[nodiscard]] static VirtioDescription description();

  /// `transport`, which must outlive it, is made from description(). `socket` is a connected stream socket,
  /// not owned.
  ConsolePorts(VirtioPci& transport, int socket) : transport_(transport), socket_(socket) {}

  /// Moves what can be moved without blocking, up to a bound. A guest that breaks the rules makes the
  /// transport fail().
  Wants process();

  [[nodiscard]] const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  enum Queue : std::uint16_t;
  struct Message;

  [[nodiscard]] Status move_all(Wants& wants);
  [[nodiscard]] Status take_messages();
  void handle(const Message& message);
  [[nodiscard]] Status send_messages();
  [[nodiscard]] bool message_owed() const;
  /// Writes the message that is owed next, and no longer is. Gives its length.
  [[nodiscard]] std::size_t write_owed_message(std::span<std::byte> to);
  [[nodiscard]] Status transmit(Wants& wants);
  [[nodiscard]] Status receive(Wants& wants);
  /// The next chain of `queue` while the bound is not reached.
  [[nodiscard]] Result<std::optional<VirtqueueChain>> next(Queue queue);
  [[nodiscard]] Status finish(Queue queue, const VirtqueueChain& chain, std::size_t written);
  [[nodiscard]] Status interrupt_used();

  static constexpr std::size_t kQueues = 6;
  VirtioPci& transport_;
  int socket_;
  bool host_connected_ = true;
  bool host_writable_ = true;  ///< false once it has closed: what the guest sends is dropped
  State state_;
  std::array<bool, kQueues> used_{};  ///< queues of which this call has given chains back
  unsigned budget_ = 0;               ///< chains that this call may still work on
};

}  // namespace ktstr::vmm::kvm
