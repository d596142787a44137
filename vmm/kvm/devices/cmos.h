// Cmos: the real-time clock of a PC, an MC146818 with its battery-backed memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>

#include "vmm/kvm/devices/bus.h"

namespace ktstr::vmm::kvm {

/// Tells the host's time in UTC, as BCD and in 24-hour mode (Motorola MC146818 data sheet, 1984), the century
/// in register 0x32. There are no interrupts; what the guest writes is ignored, and all other memory is 0:
/// kernels that are loaded directly take the size of memory from elsewhere. Thread-safe.
class Cmos : public ByteDevice {
 public:
  static constexpr std::uint64_t kPorts = 2;  ///< index, data
  using Clock = std::function<std::chrono::system_clock::time_point()>;

  /// Everything that a snapshot must keep. The time is not part of it.
  struct State {
    std::uint8_t index = 0;
    friend bool operator==(const State&, const State&) = default;
  };

  explicit Cmos(Clock clock = std::chrono::system_clock::now);

  [[nodiscard]] State state() const;
  void restore(const State& state);

 private:
  std::uint8_t read_register(std::uint64_t offset) override;
  void write_register(std::uint64_t offset, std::uint8_t value) override;

  Clock clock_;
  mutable std::mutex mutex_;
  State state_;
};

}  // namespace ktstr::vmm::kvm
