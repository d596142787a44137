#include "vmm/kvm/devices/byte_device.h"

namespace ktstr::vmm::kvm {

void ByteDevice::read(std::uint64_t offset, std::span<std::byte> data) {
  for (auto& byte : data) byte = std::byte{read_register(offset++)};
}

void ByteDevice::write(std::uint64_t offset, std::span<const std::byte> data) {
  for (const auto byte : data) write_register(offset++, std::to_integer<std::uint8_t>(byte));
}

}  // namespace ktstr::vmm::kvm
