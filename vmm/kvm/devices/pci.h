// PciHost: PCI bus 0 and the ports that its configuration space is reached through.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "vmm/kvm/devices/bus.h"
#include "vmm/kvm/devices/pci_function.h"

namespace ktstr::vmm::kvm {

/// Configuration mechanism #1 (PCI 3.0, 3.2.2.3.2) at kPciConfigPort: one bus, function 0 of each device.
/// Device 0 is a host bridge, which kernels look for before they believe in the mechanism. Thread-safe once
/// functions are inserted.
class PciHost : public Device {
 public:
  static constexpr std::uint64_t kPorts = 8;  ///< address, data
  static constexpr unsigned kDevices = 32;

  /// Everything that a snapshot must keep.
  struct State {
    std::uint32_t address = 0;                         ///< what was written to the address port
    std::map<unsigned, PciFunction::State> functions;  ///< by device number
    friend bool operator==(const State&, const State&) = default;
  };

  PciHost();

  /// Makes it function 0 of `device`, 1 to 31, which must be free. The function must outlive the host.
  void insert(unsigned device, PciFunction& function);

  void read(std::uint64_t offset, std::span<std::byte> data) override;
  void write(std::uint64_t offset, std::span<const std::byte> data) override;

  [[nodiscard]] State state() const;
  /// Precondition: the same functions are inserted as when `state` was taken. Capabilities' observers are
  /// called.
  void restore(const State& state);

 private:
  struct Target {
    PciFunction* function = nullptr;
    std::uint8_t offset = 0;
  };
  [[nodiscard]] std::optional<Target> target(std::uint64_t offset, std::size_t bytes) const;

  PciFunction bridge_;
  mutable std::mutex mutex_;
  std::uint32_t address_ = 0;
  std::array<PciFunction*, kDevices> functions_{};
};

}  // namespace ktstr::vmm::kvm
