// Bus: which device answers at an address, for I/O ports and for memory-mapped I/O alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>

namespace ktstr::vmm::kvm {

/// A device as the guest sees it: a range of bytes. Any vCPU thread calls at any time, with any offset and
/// any content: each device locks itself and believes nothing. `data` has 1, 2, 4 or 8 bytes and lies in the
/// device's range.
class Device {
 public:
  virtual ~Device() = default;
  virtual void read(std::uint64_t offset, std::span<std::byte> data) = 0;
  virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;
};

/// Filled while the machine is made, read-only afterwards. Devices must outlive it.
class Bus {
 public:
  /// Precondition: the range is free and `bytes` > 0.
  void insert(std::uint64_t base, std::uint64_t bytes, Device& device);

  /// Where no device answers, or an access crosses a device's end, reads give all ones and writes do nothing,
  /// as on a PC.
  void read(std::uint64_t address, std::span<std::byte> data) const;
  void write(std::uint64_t address, std::span<const std::byte> data) const;

 private:
  struct Range {
    std::uint64_t bytes = 0;
    Device* device = nullptr;
  };
  struct Target {
    Device* device = nullptr;
    std::uint64_t offset = 0;
  };
  [[nodiscard]] std::optional<Target> find(std::uint64_t address, std::uint64_t bytes) const;

  std::map<std::uint64_t, Range> ranges_;  ///< by base
};

}  // namespace ktstr::vmm::kvm
