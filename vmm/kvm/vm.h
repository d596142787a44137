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
