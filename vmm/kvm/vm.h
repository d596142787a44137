// Vm: one KVM virtual machine: its memory slots, interrupt controllers and event wiring. The vCPUs are apart.
#pragma once

#include <linux/kvm.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <span>

#include "engine/base/address.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "vmm/kvm/kvm.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// The address of a message-signalled interrupt as KVM takes it, of the one that a guest wrote: a guest with
/// KVM_FEATURE_MSI_EXT_DEST_ID puts bits 14:8 of the destination's APIC id into bits 11:5 of the address
/// (Documentation/virt/kvm/x86/cpuid.rst). KVM with KVM_X2APIC_API_USE_32BIT_IDS wants bits 31:8 of the id in
/// bits 63:40 (api.rst, 4.52, KVM_SET_GSI_ROUTING). Bits 7:0 stay where they are, in 19:12.
[[nodiscard]] constexpr std::uint64_t msi_address_for_kvm(std::uint64_t address) {
  constexpr std::uint64_t kExtended = 0xfe0;
  return (address & 0xffffffff & ~kExtended) | ((address & kExtended) >> 5) << 40;
}

class Vm {
 public:
  /// A machine with these regions as its RAM, an in-kernel PIC, I/O APIC and local APICs, and no PIT.
  /// Where the largest APIC id of its `cpus` CPUs exceeds 254, ids have 32 bits, and messages extended
  /// destinations. The regions' bytes must outlive it. Errors: kUnavailable for more CPUs or larger ids than
  /// this host's KVM has; KVM's.
  [[nodiscard]] static Result<Vm> create(const Kvm& kvm, std::span<const MemoryRegion> regions,
                                         std::size_t cpus, std::uint32_t largest_apic_id);

  [[nodiscard]] int fd() const { return fd_.get(); }

  /// KVM polls for work no longer than that when a vCPU halts, whatever the host's own limit is
  /// (KVM_CAP_HALT_POLL). Errors: kUnavailable when this KVM has no such limit for one machine; KVM's.
  [[nodiscard]] Status limit_halt_polling(const Kvm& kvm, Duration longest) const;

  /// A write to `event` raises `gsi` (KVM_IRQFD).
  [[nodiscard]] Status connect_interrupt(std::uint32_t gsi, int event) const;
  /// A write of `bytes` bytes to guest-physical `address`, whatever its value, signals `event` without an
  /// exit to us (KVM_IOEVENTFD).
  [[nodiscard]] Status connect_doorbell(GuestPhys address, std::uint32_t bytes, int event) const;

  /// What a message-signalled `gsi` sends. Pins of the I/O APIC and PIC keep their routes. Thread-safe by the
  /// caller. Errors: KVM's.
  [[nodiscard]] Status route_message(std::uint32_t gsi, std::uint64_t address, std::uint32_t data);

 private:
  Vm(Fd fd, bool extended_destinations) : fd_(std::move(fd)), extended_destinations_(extended_destinations) {}
  Status set_up(const Kvm& kvm);
  Status add_memory(std::span<const MemoryRegion> regions) const;

  Fd fd_;
  bool extended_destinations_;
  std::map<std::uint32_t, kvm_irq_routing_entry> messages_;  ///< by GSI
};

}  // namespace ktstr::vmm::kvm
