// Vcpu: one virtual CPU and the thread that runs it.
#pragma once

#include <linux/kvm.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "engine/base/address.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/kvm.h"
#include "vmm/kvm/pause_gate.h"
#include "vmm/kvm/seccomp.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// What a vCPU's thread works with. All of it outlives the vCPU; the functions are called from its thread.
struct VcpuSurroundings {
  const Bus& ports;
  const Bus& memory;
  PauseGate& gate;
  std::function<void()> on_shutdown;      ///< triple fault: the guest has reset itself
  std::function<void(Error)> on_failure;  ///< the vCPU can't go on; its thread has ended
  /// A hardware watchpoint or breakpoint was hit (KVM_EXIT_DEBUG). The thread goes to the gate afterwards.
  std::function<void(std::size_t vcpu, const kvm_debug_exit_arch&)> on_debug;
};

/// What KVM_SET_GUEST_DEBUG is to be given for `watchpoints`, the same on every vCPU (Intel SDM volume
/// 3, 17.2). Precondition: those of check_watchpoints().
[[nodiscard]] kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints);

class Vcpu {
 public:
  /// vCPU `index` of the machine; its thread does not run yet. Errors: KVM's;
  /// those of SyscallFilter, which confines the thread.
  [[nodiscard]] static Result<std::unique_ptr<Vcpu>> create(const Kvm& kvm, int vm, std::size_t index,
                                                            std::uint32_t apic_id,
                                                            const VcpuSurroundings& surroundings);
  /// Precondition: PauseGate::end() was called, when the thread was started.
  ~Vcpu();

  [[nodiscard]] Status set_cpuid(std::span<const kvm_cpuid_entry2> leaves) const;
  /// MSRs and local APIC as firmware leaves them.
  [[nodiscard]] Status set_up() const;
  /// The state in which the 64-bit boot protocol enters a kernel (vmm/linux_boot.h): for vCPU 0.
  [[nodiscard]] Status set_boot_registers(GuestPhys entry, GuestPhys boot_params) const;

  /// Starts the thread. It waits at the gate first.
  void start();
  /// Makes the thread come to the gate soon, from wherever it is in the guest.
  void kick();
  /// The thread's id, once it has one; 0 before.
  [[nodiscard]] int thread_id() const { return thread_id_.load(); }

  /// Precondition: the thread stands at the gate.
  [[nodiscard]] Result<VcpuRegisters> registers() const;
  /// Where `address` lies in the guest's memory by this vCPU's page tables, if it is mapped. Precondition: as
  /// registers().
  [[nodiscard]] std::optional<GuestPhys> translate(KernelVirt address) const;
  /// The same watchpoints for every vCPU (debug_registers()). Precondition: as registers().
  [[nodiscard]] Status set_debug(const kvm_guest_debug& debug) const;
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  Vcpu(std::size_t index, const VcpuSurroundings& surroundings)
      : index_(index), surroundings_(surroundings) {}

  void run();
  bool enter_guest();
  bool handle_exit();
  void handle_port();
  void handle_mmio();
  bool fail(const char* what, std::uint64_t detail);

  const std::size_t index_;
  const VcpuSurroundings& surroundings_;
  Fd fd_;
  kvm_run* run_ = nullptr;
  std::size_t run_bytes_ = 0;
  SyscallFilter filter_;
  std::atomic<int> thread_id_ = 0;
  std::thread thread_;
};

}  // namespace ktstr::vmm::kvm
