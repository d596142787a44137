// How the guest tells its end: Power turns the machine off or resets it, Pvpanic takes the kernel's word of a
// panic.
#pragma once

#include <cstdint>
#include <functional>

#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/layout.h"

namespace ktstr::vmm::kvm {

enum class PowerRequest { kPowerOff, kReset };

/// The sleep control, sleep status and reset registers of a hardware-reduced ACPI machine (ACPI 6.5, 4.8.3.6
/// and 4.8.3.7) at kSleepControlPort. It has no state: no sleep but soft off is known.
class Power : public ByteDevice {
 public:
  static constexpr std::uint64_t kPorts = kResetPort - kSleepControlPort + 1;
  /// Called by the vCPU thread that asks, and possibly by several at a time.
  using Callback = std::function<void(PowerRequest)>;

  explicit Power(Callback callback);

 private:
  std::uint8_t read_register(std::uint64_t offset) override;
  void write_register(std::uint64_t offset, std::uint8_t value) override;

  Callback callback_;
};

enum class PanicEvent {
  kPanicked,     ///< the kernel has panicked
  kCrashLoaded,  ///< it has, and is about to start its crash kernel
};

/// QEMU's pvpanic device (docs/specs/pvpanic.rst): reading gives the events it understands, writing reports.
/// It has no state.
class Pvpanic : public ByteDevice {
 public:
  static constexpr std::uint64_t kPorts = 1;
  /// Called by the vCPU thread that reports, and possibly by several at a time.
  using Callback = std::function<void(PanicEvent)>;

  explicit Pvpanic(Callback callback);

 private:
  std::uint8_t read_register(std::uint64_t offset) override;
  void write_register(std::uint64_t offset, std::uint8_t value) override;

  Callback callback_;
};

}  // namespace ktstr::vmm::kvm
