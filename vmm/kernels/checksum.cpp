#include "vmm/kernels/checksum.h"

#include <fmt/format.h>
#include <lzma.h>

#include <cstdint>

namespace ktstr::vmm {

std::string checksum(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}",
                     lzma_crc64(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), 0));
}

}  // namespace ktstr::vmm
