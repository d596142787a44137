#include "vmm/kvm/devices/virtio_pci.h"

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

// What lies where in the BAR, a page each.
constexpr unsigned kBar = 0;
constexpr std::uint64_t kPageBytes = 0x1000;
constexpr std::uint32_t kCommonPage = 0x0000;
constexpr std::uint32_t kInterruptStatusPage = 0x1000;
constexpr std::uint32_t kConfigPage = 0x2000;
constexpr std::uint32_t kNotifyPage = 0x3000;
constexpr std::uint32_t kMsixTablePage = 0x4000;
constexpr std::uint32_t kMsixPendingPage = 0x5000;

constexpr std::uint16_t kVirtioVendor = 0x1af4;
constexpr std::uint16_t kFirstModernDevice = 0x1040;
constexpr std::uint16_t kSubsystem = 0x0040;  // 4.1.2.1: 0x40 or more
constexpr std::uint8_t kModernRevision = 1;

constexpr std::uint8_t kQueueInterrupt = 1;
constexpr std::uint8_t kConfigInterrupt = VIRTIO_PCI_ISR_CONFIG;

PciFunction::Identity identity(const VirtioDescription& description) {
  return {.vendor = kVirtioVendor,
          .device = static_cast<std::uint16_t>(kFirstModernDevice + description.device_id),
          .class_code = description.class_code,
          .revision = kModernRevision,
          .subsystem_vendor = kVirtioVendor,
          .subsystem = kSubsystem};
}

}  // namespace

Result<std::unique_ptr<VirtioPci>> VirtioPci::create(VirtioDescription description, GuestPhys bar,
                                                     const GuestMemory& memory,
                                                     MessageInterrupts& interrupts) {
  Fd kick(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!kick) return system_error("eventfd");
  return std::unique_ptr<VirtioPci>(
      new VirtioPci(std::move(description), bar, memory, interrupts, std::move(kick)));
}

VirtioPci::VirtioPci(VirtioDescription description, GuestPhys bar, const GuestMemory& memory,
                     MessageInterrupts& interrupts, Fd kick)
    : config_(std::move(description.config)),
      bar_(bar),
      kick_(std::move(kick)),
      function_(identity(description)),
      msix_(static_cast<std::uint16_t>(description.queues + 1), interrupts),
      common_(description, memory) {
  KTSTR_CHECK(msix_.vectors() * Msix::kEntryBytes <= kPageBytes && config_.size() <= kPageBytes);
  function_.add_memory_bar(kBar, bar, kBarBytes);
  add_capabilities();
}

void VirtioPci::add_capabilities() {
  add_capability(VIRTIO_PCI_CAP_COMMON_CFG, kCommonPage, VirtioCommon::kRegisterBytes);
  add_capability(VIRTIO_PCI_CAP_ISR_CFG, kInterruptStatusPage, 1);
  if (!config_.empty())
    add_capability(VIRTIO_PCI_CAP_DEVICE_CFG, kConfigPage, static_cast<std::uint32_t>(config_.size()));
  add_capability(VIRTIO_PCI_CAP_NOTIFY_CFG, kNotifyPage, kNotifyBytes);
  msix_.add_capability(function_, kBar, kMsixTablePage, kMsixPendingPage);
}

// The notification capability has one field more (4.1.4.4): the multiplier of the queues' offsets, which is
// 0.
void VirtioPci::add_capability(std::uint8_t type, std::uint32_t offset, std::uint32_t bytes) {
  virtio_pci_notify_cap capability{};
  const std::size_t size =
      type == VIRTIO_PCI_CAP_NOTIFY_CFG ? sizeof(virtio_pci_notify_cap) : sizeof(virtio_pci_cap);
  capability.cap.cap_len = static_cast<std::uint8_t>(size);
  capability.cap.cfg_type = type;
  capability.cap.bar = kBar;
  capability.cap.offset = offset;
  capability.cap.length = bytes;
  const auto all = std::as_bytes(std::span(&capability, 1)).first(size);
  function_.add_capability(PCI_CAP_ID_VNDR, all.subspan(VIRTIO_PCI_CAP_LEN));
}

GuestPhys VirtioPci::notify_address() const {
  return bar_ + kNotifyPage;
}

void VirtioPci::kick() const {
  ::eventfd_write(kick_.get(), 1);  // can only fail when it is signalled anyway
}

void VirtioPci::read(std::uint64_t offset, std::span<std::byte> data) {
  const auto page = offset / kPageBytes * kPageBytes;
  const auto within = offset % kPageBytes;
  std::ranges::fill(data, std::byte{0});
  if (page == kMsixTablePage) {
    msix_.read_table(within, data);
  } else if (page == kMsixPendingPage) {
    msix_.read_pending(within, data);
  } else if (page == kConfigPage) {
    copy_from(config_, within, data);
  } else if (page == kCommonPage) {
    const auto held = lock();
    common_.read(within, data);
  } else if (page == kInterruptStatusPage && within == 0) {
    read_interrupt_status(data);
  }
}

void VirtioPci::write(std::uint64_t offset, std::span<const std::byte> data) {
  const auto page = offset / kPageBytes * kPageBytes;
  const auto within = offset % kPageBytes;
  if (page == kMsixTablePage)
    msix_.write_table(within, data);
  else if (page == kCommonPage)
    write_common(within, data);
  else if (offset == kNotifyPage)
    kick();
}

void VirtioPci::write_common(std::uint64_t offset, std::span<const std::byte> data) {
  const auto held = lock();
  const bool failed_before = common_.needs_reset();
  common_.write(offset, data);
  if (common_.needs_reset() && !failed_before) announce_failure();
  if (offset == VIRTIO_PCI_COMMON_STATUS) {
    if (common_.status() == 0) interrupt_status_ = 0;
    kick();
  }
}

void VirtioPci::read_interrupt_status(std::span<std::byte> data) {
  const auto held = lock();
  data[0] = std::byte{interrupt_status_};
  interrupt_status_ = 0;
}

void VirtioPci::interrupt(std::uint16_t queue) {
  deliver(common_.queue_vector(queue), kQueueInterrupt);
}

void VirtioPci::fail() {
  if (common_.needs_reset()) return;
  common_.fail();
  announce_failure();
}

void VirtioPci::announce_failure() {
  deliver(common_.config_vector(), kConfigInterrupt);
}

// With MSI-X on, the interrupt status stays as it is (4.1.4.5.1); with it off, the guest has to poll it: the
// function has no interrupt pin.
void VirtioPci::deliver(std::uint16_t vector, std::uint8_t status_bit) {
  if (!msix_.enabled())
    interrupt_status_ |= status_bit;
  else if (vector != kNoVector)
    msix_.trigger(vector);
}

VirtioPci::State VirtioPci::state() const {
  const auto held = lock();
  return {common_.state(), msix_.state(), interrupt_status_};
}

void VirtioPci::restore(const State& state) {
  const auto held = lock();
  common_.restore(state.common);
  msix_.restore(state.msix);
  interrupt_status_ = state.interrupt_status;
  kick();
}

}  // namespace ktstr::vmm::kvm
