#include "vmm/kvm/devices/virtio_common.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include <cstring>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

static_assert(sizeof(virtio_pci_common_cfg) == VirtioCommon::kRegisterBytes);

constexpr std::uint64_t kVersion1 = std::uint64_t{1} << VIRTIO_F_VERSION_1;

/// The size of the register at `offset`; each begins at a multiple of it.
std::size_t width(std::uint64_t offset) {
  if (offset < VIRTIO_PCI_COMMON_MSIX || offset >= VIRTIO_PCI_COMMON_Q_DESCLO) return 4;
  if (offset == VIRTIO_PCI_COMMON_STATUS || offset == VIRTIO_PCI_COMMON_CFGGENERATION) return 1;
  return 2;
}

GuestPhys address_of(std::uint32_t low, std::uint32_t high) {
  return GuestPhys(std::uint64_t{high} << 32U | low);
}

std::uint32_t low(GuestPhys address) {
  return static_cast<std::uint32_t>(address.value());
}

std::uint32_t high(GuestPhys address) {
  return static_cast<std::uint32_t>(address.value() >> 32U);
}

/// The 32 features that `select` names.
std::uint32_t features_window(std::uint64_t features, std::uint32_t select) {
  return select < 2 ? static_cast<std::uint32_t>(features >> (32 * select)) : 0;
}

}  // namespace

VirtioCommon::VirtioCommon(const VirtioDescription& description, const GuestMemory& memory)
    : features_(description.features | kVersion1),
      queues_(description.queues, Queue{Virtqueue(memory, description.queue_size)}) {}

virtio_pci_common_cfg VirtioCommon::structure() const {
  virtio_pci_common_cfg registers{};
  registers.device_feature_select = registers_.device_feature_select;
  registers.device_feature = features_window(features_, registers_.device_feature_select);
  registers.guest_feature_select = registers_.driver_feature_select;
  registers.guest_feature = features_window(registers_.driver_features, registers_.driver_feature_select);
  registers.msix_config = registers_.config_vector;
  registers.num_queues = queue_count();
  registers.device_status = registers_.status;
  registers.queue_select = registers_.queue_select;
  if (const auto* queue = selected()) {
    const auto& [size, descriptors, available, used] = queue->ring.layout();
    registers.queue_size = size;
    registers.queue_msix_vector = queue->vector;
    registers.queue_enable = queue->ring.enabled() ? 1 : 0;
    registers.queue_notify_off = registers_.queue_select;
    registers.queue_desc_lo = low(descriptors);
    registers.queue_desc_hi = high(descriptors);
    registers.queue_avail_lo = low(available);
    registers.queue_avail_hi = high(available);
    registers.queue_used_lo = low(used);
    registers.queue_used_hi = high(used);
  }
  return registers;
}

void VirtioCommon::read(std::uint64_t offset, std::span<std::byte> data) const {
  const auto registers = structure();
  copy_from(std::as_bytes(std::span(&registers, 1)), offset, data);
}

// What was not written is as it was, and taking it again changes nothing.
void VirtioCommon::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset >= kRegisterBytes || data.size() != width(offset) || offset % data.size() != 0) return;
  auto written = structure();
  std::memcpy(std::as_writable_bytes(std::span(&written, 1)).data() + offset, data.data(), data.size());
  if (offset == VIRTIO_PCI_COMMON_STATUS) return set_status(written.device_status);
  if (offset == VIRTIO_PCI_COMMON_GF) return set_driver_features(written.guest_feature);
  if (auto* queue = selected()) write_queue(*queue, written);
  registers_.device_feature_select = written.device_feature_select;
  registers_.driver_feature_select = written.guest_feature_select;
  registers_.config_vector = accepted_vector(written.msix_config);
  registers_.queue_select = written.queue_select;
}

void VirtioCommon::write_queue(Queue& queue, const virtio_pci_common_cfg& written) {
  queue.ring.set_layout({.size = written.queue_size,
                         .descriptors = address_of(written.queue_desc_lo, written.queue_desc_hi),
                         .available = address_of(written.queue_avail_lo, written.queue_avail_hi),
                         .used = address_of(written.queue_used_lo, written.queue_used_hi)});
  queue.vector = accepted_vector(written.queue_msix_vector);
  if (written.queue_enable == 1) enable(queue);
}

// A driver enables queues once features are agreed (3.1.1), and never disables one but by a reset.
void VirtioCommon::enable(Queue& queue) {
  if ((registers_.status & VIRTIO_CONFIG_S_FEATURES_OK) == 0 || queue.ring.enabled()) return;
  if (!queue.ring.enable()) fail();
}

void VirtioCommon::set_driver_features(std::uint32_t value) {
  if ((registers_.status & VIRTIO_CONFIG_S_FEATURES_OK) != 0 || registers_.driver_feature_select > 1) return;
  const auto shift = 32 * registers_.driver_feature_select;
  registers_.driver_features =
      (registers_.driver_features & ~(std::uint64_t{0xffffffff} << shift)) | std::uint64_t{value} << shift;
}

// Bits only come; what the driver may not set yet does not stick, which is how it is told (3.1.1).
void VirtioCommon::set_status(std::uint8_t value) {
  if (value == 0) return reset();
  auto status = static_cast<std::uint8_t>(registers_.status | (value & ~VIRTIO_CONFIG_S_NEEDS_RESET));
  const bool agreed =
      (registers_.driver_features & ~features_) == 0 && (registers_.driver_features & kVersion1) != 0;
  if (!agreed) status &= static_cast<std::uint8_t>(~VIRTIO_CONFIG_S_FEATURES_OK);
  if ((status & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
    status &= static_cast<std::uint8_t>(~VIRTIO_CONFIG_S_DRIVER_OK);
  registers_.status = status;
}

void VirtioCommon::reset() {
  for (auto& [ring, vector] : queues_) {
    ring.reset();
    vector = kNoVector;
  }
  registers_ = {.resets = registers_.resets + 1};
}

bool VirtioCommon::running() const {
  return (registers_.status & VIRTIO_CONFIG_S_DRIVER_OK) != 0 && !needs_reset();
}

bool VirtioCommon::needs_reset() const {
  return (registers_.status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;
}

void VirtioCommon::fail() {
  registers_.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
}

std::uint16_t VirtioCommon::accepted_vector(std::uint16_t vector) const {
  return vector <= queue_count() ? vector : kNoVector;
}

VirtioCommon::Queue* VirtioCommon::selected() {
  return registers_.queue_select < queues_.size() ? &queues_[registers_.queue_select] : nullptr;
}

const VirtioCommon::Queue* VirtioCommon::selected() const {
  return registers_.queue_select < queues_.size() ? &queues_[registers_.queue_select] : nullptr;
}

VirtioCommon::State VirtioCommon::state() const {
  State state{registers_, {}};
  for (const auto& [ring, vector] : queues_) state.queues.push_back({ring.state(), vector});
  return state;
}

void VirtioCommon::restore(const State& state) {
  KTSTR_CHECK(state.queues.size() == queues_.size());
  registers_ = state;
  registers_.config_vector = accepted_vector(state.config_vector);
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i].ring.restore(state.queues[i].ring);
    queues_[i].vector = accepted_vector(state.queues[i].vector);
    if (queues_[i].ring.enabled() != state.queues[i].ring.enabled) fail();
  }
}

}  // namespace ktstr::vmm::kvm
