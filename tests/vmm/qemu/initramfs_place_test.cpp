#include "vmm/qemu/initramfs_place.h"

#include <doctest/doctest.h>

#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr GuestPhys kKernelEnd(71 * kMiB + 1);

}  // namespace

TEST_CASE("an initramfs begins on the next large page behind the kernel") {
  CHECK(place_initramfs(3 * kMiB, kKernelEnd, 512 * kMiB)->at == GuestPhys(72 * kMiB));
  CHECK(place_initramfs(1, GuestPhys(72 * kMiB), 512 * kMiB)->at == GuestPhys(72 * kMiB));
}

TEST_CASE("an initramfs that leaves the firmware less than 24 MiB is refused with its size") {
  CHECK(place_initramfs(32 * kMiB, kKernelEnd, 128 * kMiB)->bytes == 32 * kMiB);
  const auto large = place_initramfs(33 * kMiB, kKernelEnd, 128 * kMiB);
  CHECK(large.error().code == ErrorCode::kInvalidArgument);
  CHECK(large.error().message == "the guest's memory is too small for its initramfs (33M)");
  CHECK_FALSE(place_initramfs(1, kKernelEnd, 72 * kMiB).has_value());
  CHECK_FALSE(place_initramfs(1, kKernelEnd, 8 * kMiB).has_value());
}

TEST_CASE("an initramfs ends where the boot protocol wants it, however much memory there is") {
  CHECK(place_initramfs(1900 * kMiB, kKernelEnd, 64 * 1024 * kMiB).has_value());
  CHECK_FALSE(place_initramfs(2000 * kMiB, kKernelEnd, 64 * 1024 * kMiB).has_value());
}

}  // namespace ktstr::vmm::qemu
