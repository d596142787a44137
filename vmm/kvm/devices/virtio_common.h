// VirtioCommon: what every virtio device has, whatever it does: status, features and queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vmm/kvm/devices/virtqueue.h"
#include "vmm/kvm/guest_memory.h"

struct virtio_pci_common_cfg;  // linux/virtio_pci.h

namespace ktstr::vmm::kvm {

inline constexpr std::uint16_t kNoVector = 0xffff;  ///< VIRTIO_MSI_NO_VECTOR

/// A kind of virtio device, as its driver finds it.
struct VirtioDescription {
  std::uint16_t device_id = 0;   ///< virtio 1.2, 5
  std::uint32_t class_code = 0;  ///< of PCI
  std::uint64_t features = 0;    ///< offered, besides VIRTIO_F_VERSION_1
  std::uint16_t queues = 0;
  std::uint16_t queue_size = 0;   ///< a power of two, at most Virtqueue::kMaxSize
  std::vector<std::byte> config;  ///< device configuration space, which never changes
};

/// The common configuration structure (virtio 1.2, 4.1.4.3) and the state behind it. There is one MSI-X
/// vector per queue and one more. Not thread-safe.
class VirtioCommon {
 public:
  static constexpr std::uint64_t kRegisterBytes = 56;

  struct QueueState {
    Virtqueue::State ring;
    std::uint16_t vector = kNoVector;
    friend bool operator==(const QueueState&, const QueueState&) = default;
  };
  /// What the driver sets, but for the queues.
  struct Registers {
    std::uint32_t device_feature_select = 0;
    std::uint32_t driver_feature_select = 0;
    std::uint64_t driver_features = 0;
    std::uint16_t queue_select = 0;
    std::uint16_t config_vector = kNoVector;
    std::uint8_t status = 0;
    std::uint64_t resets = 0;  ///< how often the driver has reset the device
    friend bool operator==(const Registers&, const Registers&) = default;
  };
  /// Everything that a snapshot must keep.
  struct State : Registers {
    std::vector<QueueState> queues;
    friend bool operator==(const State&, const State&) = default;
  };

  /// `memory` must outlive it.
  VirtioCommon(const VirtioDescription& description, const GuestMemory& memory);

  /// The guest accesses a register: any read; a write has to be of one whole register.
  void read(std::uint64_t offset, std::span<std::byte> data) const;
  void write(std::uint64_t offset, std::span<const std::byte> data);

  /// The driver has said that it is ready, and the device wants no reset.
  [[nodiscard]] bool running() const;
  [[nodiscard]] bool needs_reset() const;
  [[nodiscard]] std::uint8_t status() const { return registers_.status; }
  /// How often the driver has reset the device.
  [[nodiscard]] std::uint64_t resets() const { return registers_.resets; }
  /// From here on the device does nothing until it is reset.
  void fail();

  /// Precondition, of both: `index` is less than queue_count().
  [[nodiscard]] Virtqueue& queue(std::uint16_t index) { return queues_[index].ring; }
  [[nodiscard]] std::uint16_t queue_vector(std::uint16_t index) const { return queues_[index].vector; }
  [[nodiscard]] std::uint16_t queue_count() const { return static_cast<std::uint16_t>(queues_.size()); }
  [[nodiscard]] std::uint16_t config_vector() const { return registers_.config_vector; }

  [[nodiscard]] State state() const;
  /// Precondition: it has as many queues. A queue whose rings are not in RAM makes the device want a reset.
  void restore(const State& state);

 private:
  struct Queue {
    Virtqueue ring;
    std::uint16_t vector = kNoVector;
  };
  void reset();
  void set_status(std::uint8_t value);
  void set_driver_features(std::uint32_t value);
  [[nodiscard]] std::uint16_t accepted_vector(std::uint16_t vector) const;
  [[nodiscard]] Queue* selected();
  [[nodiscard]] const Queue* selected() const;
  /// The structure as the driver reads it.
  [[nodiscard]] virtio_pci_common_cfg structure() const;
  void write_queue(Queue& queue, const virtio_pci_common_cfg& written);
  void enable(Queue& queue);

  std::uint64_t features_;
  std::vector<Queue> queues_;
  Registers registers_;
};

}  // namespace ktstr::vmm::kvm
