// Pvpanic: the port that a guest kernel reports its panic to.
#pragma once

#include <cstdint>
#include <functional>

#include "vmm/kvm/devices/byte_device.h"

namespace ktstr::vmm::kvm {

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
