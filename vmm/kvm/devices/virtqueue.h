// Virtqueue: the device's side of a split virtqueue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"
#include "vmm/kvm/guest_memory.h"

namespace ktstr::vmm::kvm {

/// Where the driver has put a queue. `size` is a power of two.
struct VirtqueueLayout {
  std::uint16_t size = 0;
  GuestPhys descriptors, available, used;
  friend bool operator==(const VirtqueueLayout&, const VirtqueueLayout&) = default;
};

/// Buffers that the driver offers together, in guest memory: its content may change at any time. Segments are
/// never empty.
struct VirtqueueChain {
  std::uint16_t head = 0;
  std::vector<std::span<std::byte>> readable;  ///< by the device
  std::vector<std::span<std::byte>> writable;
};

/// A split virtqueue (virtio 1.2, 2.7) without indirect descriptors and event indices. Everything that the
/// guest has a hand in is copied, then checked; what contradicts the specification is kCorrupt, after which
/// the device should want a reset. Not thread-safe.
class Virtqueue {
 public:
  static constexpr std::uint16_t kMaxSize = 256;

  /// Everything that a snapshot must keep.
  struct State {
    VirtqueueLayout layout;
    bool enabled = false;
    std::uint16_t next_available = 0;  ///< index, modulo 2^16, of the next chain to take
    std::uint16_t next_used = 0;       ///< likewise of the next to give back
    friend bool operator==(const State&, const State&) = default;
  };

  /// `memory` must outlive it. Precondition: `max_size` is a power of two, at most kMaxSize.
  Virtqueue(const GuestMemory& memory, std::uint16_t max_size);

  [[nodiscard]] std::uint16_t max_size() const { return max_size_; }
  [[nodiscard]] bool enabled() const { return state_.enabled; }
  [[nodiscard]] const VirtqueueLayout& layout() const { return state_.layout; }

  /// Disabled, of its maximum size.
  void reset();
  /// Nothing happens to a queue that is enabled, or when the size is none that it can have.
  void set_layout(const VirtqueueLayout& layout);
  /// kCorrupt where a ring is misaligned or not in RAM.
  [[nodiscard]] Status enable();

  /// The next chain, which stays the next; none while the queue is empty or disabled.
  [[nodiscard]] Result<std::optional<VirtqueueChain>> peek() const;
  /// Takes the chain that peek() has given.
  void pop() { ++state_.next_available; }
  /// Gives a chain back with `written` bytes in its writable segments.
  [[nodiscard]] Status push(std::uint16_t head, std::uint32_t written);
  /// Whether the driver wants an interrupt for what was pushed (2.7.10).
  [[nodiscard]] Result<bool> wants_interrupt() const;

  [[nodiscard]] const State& state() const { return state_; }
  /// Disabled where the rings of `state` are not in RAM.
  void restore(const State& state);

 private:
  struct Descriptor;

  [[nodiscard]] Status check_layout() const;
  template <class T>
  [[nodiscard]] Result<T*> in_ram(GuestPhys address) const;
  [[nodiscard]] Result<Descriptor> descriptor(std::uint16_t index) const;
  [[nodiscard]] Result<VirtqueueChain> chain(std::uint16_t head) const;
  [[nodiscard]] Status append(VirtqueueChain& chain, const Descriptor& descriptor) const;

  const GuestMemory& memory_;
  std::uint16_t max_size_;
  State state_;
};

/// The bytes of all `segments`.
[[nodiscard]] std::uint64_t total_bytes(std::span<const std::span<std::byte>> segments);

}  // namespace ktstr::vmm::kvm
