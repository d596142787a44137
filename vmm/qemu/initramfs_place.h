// Where a QEMU machine's initramfs lies.
#pragma once

#include <cstdint>

#include "engine/base/address.h"
#include "engine/base/result.h"

namespace ktstr::vmm::qemu {

struct InitramfsPlace {
  GuestPhys at;  ///< a large page's boundary
  std::uint64_t bytes = 0;
};

/// Right behind the kernel, far from what the firmware uses at the end of the first bank. QEMU's own choice
/// for microvm, right below that end, is where SeaBIOS 1.16.3 and newer put the ACPI tables. Errors:
/// kInvalidArgument when the bank is too small.
[[nodiscard]] Result<InitramfsPlace> place_initramfs(std::uint64_t bytes, GuestPhys kernel_end,
                                                     std::uint64_t first_bank_bytes);

}  // namespace ktstr::vmm::qemu
