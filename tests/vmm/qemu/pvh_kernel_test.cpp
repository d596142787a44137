#include <doctest/doctest.h>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "tests/vmm/mebibyte.h"
#include "tests/vmm/tiny_kernel.h"
#include "vmm/linux_boot.h"
#include "vmm/qemu/pvh_entry_layout.h"
#include "vmm/qemu/pvh_kernel.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr GuestPhys kKernelEnd(71 * kMiB + 1);

using test::TinyKernel;

constexpr std::uint64_t kText = TinyKernel::kText;
constexpr std::size_t kTextBytes = TinyKernel::kTextBytes;
constexpr std::uint64_t kSlide = 32 * kMiB;
constexpr InitramfsRoom kRoom{3 * kMiB, 128 * kMiB};

std::vector<std::byte> read_all(const Fd& fd) {
  struct stat status {};
  REQUIRE(::fstat(fd.get(), &status) == 0);
  std::vector<std::byte> bytes(static_cast<std::size_t>(status.st_size));
  REQUIRE(::pread(fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return bytes;
}

template <class T>
T value_at(const std::vector<std::byte>& bytes, std::size_t offset) {
  T value;
  REQUIRE(offset + sizeof(value) <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

ErrorCode error_of(const TinyKernel& kernel) {
  const auto made = make_pvh_kernel(kernel.bytes(), kSlide, kRoom);
  REQUIRE_FALSE(made.has_value());
  return made.error().code;
}

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

TEST_CASE("a slid kernel has its pointers moved and its distances kept, at the same physical place") {
  const auto made = make_pvh_kernel(TinyKernel().bytes(), kSlide, kRoom);
  REQUIRE(made.has_value());
  const auto image = read_all(made->elf);
  const auto header = value_at<Elf64_Ehdr>(image, 0);
  REQUIRE(header.e_phnum == 3);
  const auto segment = value_at<Elf64_Phdr>(image, header.e_phoff + 2 * sizeof(Elf64_Phdr));
  CHECK(segment.p_paddr == 16 * kMiB);
  CHECK(segment.p_memsz == 4 * kMiB);
  CHECK(value_at<std::uint64_t>(image, segment.p_offset) == kText + 0x40 + kSlide);
  CHECK(value_at<std::uint32_t>(image, segment.p_offset + 8) ==
        static_cast<std::uint32_t>(kText + 0x40 + kSlide));
  CHECK(value_at<std::uint32_t>(image, segment.p_offset + 12) == 0x10000000 - kSlide);
}

TEST_CASE("a slid kernel is entered through a PVH note below it") {
  const auto image = read_all(make_pvh_kernel(TinyKernel().bytes(), kSlide, kRoom)->elf);
  const auto header = value_at<Elf64_Ehdr>(image, 0);
  const auto note = value_at<Elf64_Phdr>(image, header.e_phoff);
  const auto entry = value_at<Elf64_Phdr>(image, header.e_phoff + sizeof(Elf64_Phdr));
  CHECK(note.p_type == PT_NOTE);
  CHECK(value_at<Elf64_Nhdr>(image, note.p_offset).n_type == 18);
  CHECK(value_at<std::uint64_t>(image, note.p_offset + sizeof(Elf64_Nhdr) + 4) == entry.p_paddr);
  CHECK(entry.p_paddr + entry.p_memsz <= 16 * kMiB);
}

TEST_CASE("the entry tells the kernel where the initramfs lies, and whether it was moved") {
  for (const bool moved : {true, false}) {
    const auto kernel =
        make_pvh_kernel(TinyKernel().bytes(), moved ? std::optional(kSlide) : std::nullopt, kRoom);
    CHECK(kernel->initramfs.at == GuestPhys(20 * kMiB));
    const auto image = read_all(kernel->elf);
    const auto header = value_at<Elf64_Ehdr>(image, 0);
    const auto entry = value_at<Elf64_Phdr>(image, header.e_phoff + sizeof(Elf64_Phdr));
    const auto params = value_at<boot_params>(
        image, entry.p_offset + (KTSTR_PVH_BOOT_PARAMS - static_cast<std::size_t>(entry.p_paddr)));
    CHECK(params.hdr.ramdisk_image == 20 * kMiB);
    CHECK(params.hdr.ramdisk_size == 3 * kMiB);
    CHECK((params.hdr.loadflags & KASLR_FLAG) == (moved ? KASLR_FLAG : 0));
    const auto text = value_at<Elf64_Phdr>(image, header.e_phoff + 2 * sizeof(Elf64_Phdr));
    CHECK(value_at<std::uint64_t>(image, text.p_offset) == kText + 0x40 + (moved ? kSlide : 0));
  }
}

TEST_CASE("a kernel whose initramfs finds no room is refused") {
  const auto made = make_pvh_kernel(TinyKernel().bytes(), kSlide, {3 * kMiB, 46 * kMiB});
  CHECK(made.error().code == ErrorCode::kInvalidArgument);
  CHECK(make_pvh_kernel(TinyKernel().bytes(), kSlide, {3 * kMiB, 47 * kMiB}).has_value());
}

TEST_CASE("a kernel without relocations stays where it is, and can't be moved") {
  TinyKernel unmovable;
  unmovable.relocations.clear();
  CHECK(make_pvh_kernel(unmovable.bytes(), std::nullopt, kRoom).has_value());
  CHECK(error_of(unmovable) == ErrorCode::kUnavailable);
}

TEST_CASE("a damaged kernel is refused") {
  const auto broken = [](auto change) {
    TinyKernel kernel;
    change(kernel);
    return error_of(kernel);
  };
  CHECK(broken([](auto& k) { k.relocations[1] = 0x7fffffff; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.relocations[1] = TinyKernel::at(kTextBytes - 7); }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.segment.p_offset = ~0ULL; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.segment.p_filesz = 8 * kMiB; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.segment.p_memsz = ~0ULL; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.segment.p_paddr = 0x100000; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.segment.p_type = PT_NOTE; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.header.e_phoff = ~0ULL - 8; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.header.e_phentsize = 1; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.header.e_machine = EM_ARM; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) { k.header.e_ident[0] = 0; }) == ErrorCode::kCorrupt);
  CHECK(broken([](auto& k) {
          k.header.e_shnum = 1;
          k.header.e_shoff = ~0ULL;
          k.header.e_shentsize = sizeof(Elf64_Shdr);
        }) == ErrorCode::kCorrupt);
}

}  // namespace ktstr::vmm::qemu
