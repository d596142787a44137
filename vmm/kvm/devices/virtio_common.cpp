#include "vmm/kvm/devices/virtio_common.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

static_assert(sizeof(virtio_pci_common_cfg) == VirtioCommon::kRegisterBytes);

constexpr std::uint64_t kVersion1 = std::uint64_t{1} << VIRTIO_F_VERSION_1;

/// The size of the register that begins at `offset`.
std::size_t width(std::uint64_t offset) {
  if (offset < VIRTIO_PCI_COMMON_MSIX || offset >= VIRTIO_PCI_COMMON_Q_DESCLO) return 4;
  if (offset == VIRTIO_PCI_COMMON_STATUS || offset == VIRTIO_PCI_COMMON_CFGGENERATION) return 1;
  return 2;
}

GuestPhys with_low(GuestPhys address, std::uint32_t low) {
  return GuestPhys((address.value() & ~std::uint64_t{0xffffffff}) | low);
}

GuestPhys with_high(GuestPhys address, std::uint32_t high) {
  return GuestPhys((address.value() & 0xffffffff) | std::uint64_t{high} << 32U);
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

void VirtioCommon::read(std::uint64_t offset, std::span<std::byte> data) const {
  virtio_pci_common_cfg registers{};
  registers.device_feature_select = device_feature_select_;
  registers.device_feature = features_window(features_, device_feature_select_);
  registers.guest_feature_select = driver_feature_select_;
  registers.guest_feature = features_window(driver_features_, driver_feature_select_);
  registers.msix_config = config_vector_;
  registers.num_queues = queue_count();
  registers.device_status = status_;
  registers.queue_select = queue_select_;
  if (const auto* queue = selected()) {
    const auto& [size, descriptors, available, used] = queue->ring.layout();
    registers.queue_size = size;
    registers.queue_msix_vector = queue->vector;
    registers.queue_enable = queue->ring.enabled() ? 1 : 0;
    registers.queue_notify_off = queue_select_;
    registers.queue_desc_lo = low(descriptors);
    registers.queue_desc_hi = high(descriptors);
    registers.queue_avail_lo = low(available);
    registers.queue_avail_hi = high(available);
    registers.queue_used_lo = low(used);
    registers.queue_used_hi = high(used);
  }
  copy_from(std::as_bytes(std::span(&registers, 1)), offset, data);
}

void VirtioCommon::write(std::uint64_t offset, std::span<const std::byte> data) {
  if (offset >= kRegisterBytes || data.size() != width(offset)) return;
  const auto value = static_cast<std::uint32_t>(value_of(data));
  if (offset == VIRTIO_PCI_COMMON_DFSELECT)
    device_feature_select_ = value;
  else if (offset == VIRTIO_PCI_COMMON_GFSELECT)
    driver_feature_select_ = value;
  else if (offset == VIRTIO_PCI_COMMON_GF)
    set_driver_features(value);
  else if (offset == VIRTIO_PCI_COMMON_MSIX)
    config_vector_ = accepted_vector(static_cast<std::uint16_t>(value));
  else if (offset == VIRTIO_PCI_COMMON_STATUS)
    set_status(static_cast<std::uint8_t>(value));
  else if (offset == VIRTIO_PCI_COMMON_Q_SELECT)
    queue_select_ = static_cast<std::uint16_t>(value);
  else if (auto* queue = selected())
    write_queue(*queue, offset, value);
}

void VirtioCommon::write_queue(Queue& queue, std::uint64_t offset, std::uint32_t value) {
  auto layout = queue.ring.layout();
  if (offset == VIRTIO_PCI_COMMON_Q_SIZE)
    layout.size = static_cast<std::uint16_t>(value);
  else if (offset == VIRTIO_PCI_COMMON_Q_DESCLO)
    layout.descriptors = with_low(layout.descriptors, value);
  else if (offset == VIRTIO_PCI_COMMON_Q_DESCHI)
    layout.descriptors = with_high(layout.descriptors, value);
  else if (offset == VIRTIO_PCI_COMMON_Q_AVAILLO)
    layout.available = with_low(layout.available, value);
  else if (offset == VIRTIO_PCI_COMMON_Q_AVAILHI)
    layout.available = with_high(layout.available, value);
  else if (offset == VIRTIO_PCI_COMMON_Q_USEDLO)
    layout.used = with_low(layout.used, value);
  else if (offset == VIRTIO_PCI_COMMON_Q_USEDHI)
    layout.used = with_high(layout.used, value);
  queue.ring.set_layout(layout);
  if (offset == VIRTIO_PCI_COMMON_Q_MSIX) queue.vector = accepted_vector(static_cast<std::uint16_t>(value));
  if (offset == VIRTIO_PCI_COMMON_Q_ENABLE && value == 1) enable(queue);
}

// A driver enables queues once features are agreed (3.1.1), and never disables one but by a reset.
void VirtioCommon::enable(Queue& queue) {
  if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) == 0 || queue.ring.enabled()) return;
  if (!queue.ring.enable()) fail();
}

void VirtioCommon::set_driver_features(std::uint32_t value) {
  if ((status_ & VIRTIO_CONFIG_S_FEATURES_OK) != 0 || driver_feature_select_ > 1) return;
  const auto shift = 32 * driver_feature_select_;
  driver_features_ = (driver_features_ & ~(std::uint64_t{0xffffffff} << shift)) | std::uint64_t{value}
                                                                                      << shift;
}

// Bits only come; what the driver may not set yet does not stick, which is how it is told (3.1.1).
void VirtioCommon::set_status(std::uint8_t value) {
  if (value == 0) {
    reset();
    return;
  }
  auto status = static_cast<std::uint8_t>(status_ | (value & ~VIRTIO_CONFIG_S_NEEDS_RESET));
  const bool agreed = (driver_features_ & ~features_) == 0 && (driver_features_ & kVersion1) != 0;
  if (!agreed) status &= static_cast<std::uint8_t>(~VIRTIO_CONFIG_S_FEATURES_OK);
  if ((status & VIRTIO_CONFIG_S_FEATURES_OK) == 0)
    status &= static_cast<std::uint8_t>(~VIRTIO_CONFIG_S_DRIVER_OK);
  status_ = status;
}

void VirtioCommon::reset() {
  for (auto& [ring, vector] : queues_) {
    ring.reset();
    vector = kNoVector;
  }
  device_feature_select_ = driver_feature_select_ = 0;
  driver_features_ = 0;
  queue_select_ = 0;
  config_vector_ = kNoVector;
  status_ = 0;
  ++resets_;
}

bool VirtioCommon::running() const {
  return (status_ & VIRTIO_CONFIG_S_DRIVER_OK) != 0 && !needs_reset();
}

bool VirtioCommon::needs_reset() const {
  return (status_ & VIRTIO_CONFIG_S_NEEDS_RESET) != 0;
}

void VirtioCommon::fail() {
  status_ |= VIRTIO_CONFIG_S_NEEDS_RESET;
}

std::uint16_t VirtioCommon::accepted_vector(std::uint16_t vector) const {
  return vector <= queue_count() ? vector : kNoVector;
}

VirtioCommon::Queue* VirtioCommon::selected() {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

const VirtioCommon::Queue* VirtioCommon::selected() const {
  return queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
}

VirtioCommon::State VirtioCommon::state() const {
  State state{device_feature_select_,
              driver_feature_select_,
              driver_features_,
              queue_select_,
              config_vector_,
              status_,
              resets_,
              {}};
  for (const auto& [ring, vector] : queues_) state.queues.push_back({ring.state(), vector});
  return state;
}

void VirtioCommon::restore(const State& state) {
  KTSTR_CHECK(state.queues.size() == queues_.size());
  device_feature_select_ = state.device_feature_select;
  driver_feature_select_ = state.driver_feature_select;
  driver_features_ = state.driver_features;
  queue_select_ = state.queue_select;
  config_vector_ = accepted_vector(state.config_vector);
  status_ = state.status;
  resets_ = state.resets;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i].ring.restore(state.queues[i].ring);
    queues_[i].vector = accepted_vector(state.queues[i].vector);
    if (queues_[i].ring.enabled() != state.queues[i].ring.enabled) fail();
  }
}

}  // namespace ktstr::vmm::kvm
