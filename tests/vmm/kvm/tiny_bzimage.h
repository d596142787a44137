// A bzImage, small, for tests of what loads one.
#pragma once

#include <asm/bootparam.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm::kvm::test {

/// As many real-mode sectors as the header says, and a protected-mode kernel whose byte i is i.
struct TinyBzImage {
  static constexpr std::size_t kHeader = 0x1f1, kSector = 512, kKernelBytes = 0x400;
  static constexpr std::uint64_t kPlace = 16 * kMiB, kInitBytes = 8 * kMiB;

  setup_header header{};
  std::size_t sectors = 3;  ///< behind the boot sector

  TinyBzImage() {
    header.setup_sects = 3;
    header.boot_flag = 0xaa55;
    header.header = 0x53726448;
    header.version = 0x020f;
    header.xloadflags = XLF_KERNEL_64;
    header.pref_address = kPlace;
    header.init_size = kInitBytes;
    header.kernel_alignment = 2 * kMiB;
  }

  [[nodiscard]] std::vector<std::byte> bytes() const {
    std::vector<std::byte> image((sectors + 1) * kSector);
    std::memcpy(image.data() + kHeader, &header, sizeof(header));
    for (std::size_t i = 0; i < kKernelBytes; ++i) image.push_back(static_cast<std::byte>(i));
    return image;
  }
};

}  // namespace ktstr::vmm::kvm::test
