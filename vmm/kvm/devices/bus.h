// Bus: which device answers at an address, for I/O ports and for memory-mapped I/O alike.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

/// A device of 8-bit registers. Wider accesses become one access per byte, lowest address first, as an ISA
/// bus makes them.
class ByteDevice : public Device {
 public:
  void read(std::uint64_t offset, std::span<std::byte> data) final;
  void write(std::uint64_t offset, std::span<const std::byte> data) final;

 protected:
  virtual std::uint8_t read_register(std::uint64_t offset) = 0;
  virtual void write_register(std::uint64_t offset, std::uint8_t value) = 0;
};

static_assert(std::endian::native == std::endian::little);  // as the guest is

/// What an access carries, as a number: the first 8 bytes of `data` at most.
[[nodiscard]] inline std::uint64_t value_of(std::span<const std::byte> data) {
  std::uint64_t value = 0;
  std::memcpy(&value, data.data(), std::min(data.size(), sizeof(value)));
  return value;
}

/// Copies to `data` what `source` has at `offset`; what it does not have is 0.
inline void copy_from(std::span<const std::byte> source, std::uint64_t offset, std::span<std::byte> data) {
  const auto begin = std::min<std::uint64_t>(offset, source.size());
  const auto piece = source.subspan(begin, std::min(data.size(), source.size() - begin));
  std::ranges::fill(std::ranges::copy(piece, data.begin()).out, data.end(), std::byte{0});
}

}  // namespace ktstr::vmm::kvm
