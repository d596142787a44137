// DriverQueue: the driver's side of a split virtqueue.
#pragma once

#include <initializer_list>
#include <optional>

#include "tests/vmm/kvm/devices/guest_ram.h"
#include "vmm/kvm/devices/virtqueue.h"

namespace ktstr::vmm::kvm::test {

inline constexpr std::uint16_t kNext = 1;
inline constexpr std::uint16_t kWrite = 2;
inline constexpr std::uint16_t kIndirect = 4;

/// As virtio 1.2, 2.7.13 and 2.7.14 have it. Descriptors are used in turn and never more than the queue has.
class DriverQueue {
 public:
  struct Segment {
    GuestPhys address;
    std::uint32_t bytes = 0;
    bool writable = false;
  };
  struct Used {
    std::uint32_t head = 0;
    std::uint32_t written = 0;
    friend bool operator==(const Used&, const Used&) = default;
  };

  DriverQueue(GuestRam& ram, std::uint16_t size)
      : ram_(&ram),
        layout_{size, ram.allocate(16U * size, 16), ram.allocate(6 + 2U * size, 2),
                ram.allocate(6 + 8U * size, 4)} {}

  [[nodiscard]] const VirtqueueLayout& layout() const { return layout_; }

  void set_descriptor(std::uint16_t index, GuestPhys address, std::uint32_t bytes, std::uint16_t flags,
                      std::uint16_t next) const {
    const auto at = layout_.descriptors + 16U * index;
    ram_->at<std::uint64_t>(at) = address.value();
    ram_->at<std::uint64_t>(at + 8) = bytes | std::uint64_t{flags} << 32U | std::uint64_t{next} << 48U;
  }
  /// Makes the chain that begins at descriptor `head` available.
  void make_available(std::uint16_t head) {
    ram_->at<std::uint16_t>(layout_.available + 4 + 2U * (available_ % layout_.size)) = head;
    set_available_index(++available_);
  }
  void set_available_index(std::uint16_t index) const {
    ram_->at<std::uint16_t>(layout_.available + 2).store(index);
  }
  void suppress_interrupts(bool suppress) const {
    ram_->at<std::uint16_t>(layout_.available).store(suppress ? 1 : 0);
  }

  /// Gives the chain's head.
  std::uint16_t offer(std::initializer_list<Segment> segments) {
    const auto head = next_descriptor_;
    std::size_t left = segments.size();
    for (const auto& segment : segments) {
      const auto index = next_descriptor_;
      next_descriptor_ = static_cast<std::uint16_t>((next_descriptor_ + 1) % layout_.size);
      const auto flags = (segment.writable ? kWrite : 0) | (--left > 0 ? kNext : 0);
      set_descriptor(index, segment.address, segment.bytes, static_cast<std::uint16_t>(flags),
                     next_descriptor_);
    }
    make_available(head);
    return head;
  }
  [[nodiscard]] bool has_used() const { return used_index() != used_; }
  [[nodiscard]] std::optional<Used> take_used() {
    if (!has_used()) return std::nullopt;
    const auto at = layout_.used + 4 + 8U * (used_++ % layout_.size);
    return Used{ram_->at<std::uint32_t>(at), ram_->at<std::uint32_t>(at + 4)};
  }
  [[nodiscard]] std::uint16_t used_index() const { return ram_->at<std::uint16_t>(layout_.used + 2).load(); }

 private:
  GuestRam* ram_;
  VirtqueueLayout layout_;
  std::uint16_t next_descriptor_ = 0;
  std::uint16_t available_ = 0;
  std::uint16_t used_ = 0;
};

}  // namespace ktstr::vmm::kvm::test
