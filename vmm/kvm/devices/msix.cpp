#include "vmm/kvm/devices/msix.h"

#include <linux/pci_regs.h>

#include <cstring>

#include "engine/base/check.h"
#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {
namespace {

/// What follows the id and next pointer of the capability.
struct [[gnu::packed]] CapabilityBody {
  std::uint16_t control;
  std::uint32_t table;    ///< offset, with the BAR's index in the low 3 bits
  std::uint32_t pending;  ///< likewise
};
static_assert(sizeof(CapabilityBody) == PCI_CAP_MSIX_SIZEOF - 2);

constexpr std::uint16_t kMaxVectors = PCI_MSIX_FLAGS_QSIZE + 1;

}  // namespace

Msix::Msix(std::uint16_t vectors, MessageInterrupts& interrupts)
    : vectors_(vectors), interrupts_(interrupts), programmed_(vectors) {
  KTSTR_CHECK(vectors > 0 && vectors <= kMaxVectors);
  state_.entries.resize(vectors, {0, 0, 0, PCI_MSIX_ENTRY_CTRL_MASKBIT});
  state_.pending.resize(vectors);
}

void Msix::add_capability(PciFunction& function, unsigned bar, std::uint32_t table, std::uint32_t pending) {
  const CapabilityBody body{static_cast<std::uint16_t>(vectors_ - 1), table | bar, pending | bar};
  const CapabilityBody writable{PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 0, 0};
  function.add_capability(
      PCI_CAP_ID_MSIX, std::as_bytes(std::span(&body, 1)), std::as_bytes(std::span(&writable, 1)),
      [this](std::span<const std::byte> bytes) {
        set_control(static_cast<std::uint16_t>(value_of(bytes.first(sizeof(std::uint16_t)))));
      });
}

bool Msix::enabled() const {
  const std::lock_guard lock(mutex_);
  return state_.enabled;
}

void Msix::read_table(std::uint64_t offset, std::span<std::byte> data) const {
  const std::lock_guard lock(mutex_);
  copy_from(std::as_bytes(std::span(state_.entries)), offset, data);
}

void Msix::write_table(std::uint64_t offset, std::span<const std::byte> data) {
  const bool whole = (data.size() == 4 || data.size() == 8) && offset % data.size() == 0;
  const auto vector = offset / kEntryBytes;
  if (!whole || vector >= vectors_) return;
  const std::lock_guard lock(mutex_);
  auto& entry = state_.entries[vector];
  std::memcpy(std::as_writable_bytes(std::span(entry)).data() + offset % kEntryBytes, data.data(),
              data.size());
  entry[3] &= PCI_MSIX_ENTRY_CTRL_MASKBIT;
  refresh(static_cast<std::uint16_t>(vector));
}

void Msix::read_pending(std::uint64_t offset, std::span<std::byte> data) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint8_t> bits((vectors_ + 63U) / 64 * 8);
  for (std::size_t vector = 0; vector < vectors_; ++vector)
    if (state_.pending[vector]) bits[vector / 8] |= static_cast<std::uint8_t>(1U << vector % 8);
  copy_from(std::as_bytes(std::span(bits)), offset, data);
}

void Msix::trigger(std::uint16_t vector) {
  KTSTR_CHECK(vector < vectors_);
  const std::lock_guard lock(mutex_);
  if (!state_.enabled) return;
  if (programmed_[vector].masked)
    state_.pending[vector] = true;
  else
    interrupts_.signal(vector);
}

Msix::State Msix::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

void Msix::restore(const State& state) {
  KTSTR_CHECK(state.entries.size() == vectors_ && state.pending.size() == vectors_);
  const std::lock_guard lock(mutex_);
  state_ = state;
  refresh_all();
}

void Msix::set_control(std::uint16_t control) {
  const std::lock_guard lock(mutex_);
  state_.enabled = (control & PCI_MSIX_FLAGS_ENABLE) != 0;
  state_.masked = (control & PCI_MSIX_FLAGS_MASKALL) != 0;
  if (!state_.enabled) state_.pending.assign(vectors_, false);
  refresh_all();
}

MsixMessage Msix::message(std::uint16_t vector) const {
  const auto& [low, high, data, control] = state_.entries[vector];
  const bool open = state_.enabled && !state_.masked && (control & PCI_MSIX_ENTRY_CTRL_MASKBIT) == 0;
  return {std::uint64_t{high} << 32U | low, data, !open};
}

void Msix::refresh(std::uint16_t vector) {
  const auto now = message(vector);
  auto& programmed = programmed_[vector];
  if (now != programmed && !(now.masked && programmed.masked)) interrupts_.program(vector, now);
  programmed = now;
  if (now.masked || !state_.pending[vector]) return;
  state_.pending[vector] = false;
  interrupts_.signal(vector);
}

void Msix::refresh_all() {
  for (std::uint16_t vector = 0; vector < vectors_; ++vector) refresh(vector);
}

}  // namespace ktstr::vmm::kvm
