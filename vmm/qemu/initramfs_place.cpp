#include "vmm/qemu/initramfs_place.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/units.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kLargePage = 2ULL << 20;
constexpr std::uint64_t kHighest = 2ULL << 30;  // initrd_addr_max of the boot protocol, and below every hole
/// SeaBIOS has its tables in the last 16 MiB of RAM (BUILD_MAX_HIGHTABLE), and buffers and itself below them,
/// from there downwards.
constexpr std::uint64_t kFirmwareBytes = 24ULL << 20;

}  // namespace

Result<InitramfsPlace> place_initramfs(std::uint64_t bytes, GuestPhys kernel_end,
                                       std::uint64_t first_bank_bytes) {
  const auto end = std::min(first_bank_bytes, kHighest);
  const auto at = (kernel_end.value() + kLargePage - 1) / kLargePage * kLargePage;
  if (end < kFirmwareBytes || at > end - kFirmwareBytes || bytes > end - kFirmwareBytes - at)
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the guest's memory is too small for its initramfs ({})",
                             format_byte_size(ByteSize{bytes}))};
  return InitramfsPlace{GuestPhys(at), bytes};
}

}  // namespace ktstr::vmm::qemu
