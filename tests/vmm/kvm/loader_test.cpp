// What is beside the kernel, whichever it is, and an ELF's segments.
#include "vmm/kvm/loader.h"

#include <doctest/doctest.h>

#include "tests/vmm/kvm/loading_guest.h"
#include "tests/vmm/page_walk.h"
#include "tests/vmm/tiny_kernel.h"
#include "vmm/kernel_elf.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm::kvm {
namespace {

using test::LoadingGuest;
using vmm::test::TinyKernel;

constexpr GuestPhys kPlace(TinyKernel::kPlace);
constexpr std::uint64_t kKernelEnd = TinyKernel::kPlace + 4 * kMiB;

std::vector<std::byte> pattern(std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251 + 1);
  return bytes;
}

bool all_zero(std::span<const std::byte> bytes) {
  for (const auto byte : bytes)
    if (byte != std::byte{0}) return false;
  return true;
}

}  // namespace

TEST_CASE("an ELF's segments lie at their physical addresses, with zeros behind their bytes") {
  LoadingGuest guest;
  const auto file = TinyKernel().bytes();
  const auto entry = guest.load(file);
  REQUIRE(entry.has_value());
  CHECK(entry->entry == kPlace);
  CHECK(entry->boot_params == kBootParams);
  const auto text = std::span(file).subspan(TinyKernel::kTextOffset, TinyKernel::kTextBytes);
  const auto loaded = guest.bytes(kPlace, text.size());
  CHECK(std::equal(text.begin(), text.end(), loaded.begin()));
  CHECK(all_zero(guest.bytes(kPlace + text.size(), 4 * kMiB - text.size())));
}

TEST_CASE("boot_params are those of an ELF with command line and ACPI tables") {
  LoadingGuest guest;
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  const auto params = guest.params();
  CHECK(params.hdr.header == 0x53726448);
  CHECK(params.hdr.type_of_loader == 0xff);
  CHECK(params.hdr.loadflags == LOADED_HIGH);
  CHECK(params.hdr.cmd_line_ptr == kCommandLine.value());
  CHECK(params.acpi_rsdp_addr == kAcpiTables.value());
  CHECK(params.hdr.ramdisk_size == 0);
  const auto* line = reinterpret_cast<const char*>(guest.bytes(kCommandLine, 64).data());
  CHECK(std::string_view(line) == "quiet panic=-1");
}

TEST_CASE("the page tables in memory map 4 GiB to themselves") {
  LoadingGuest guest;
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  const auto read = [&](std::uint64_t place) { return guest.read<std::uint64_t>(GuestPhys(place)); };
  using namespace vmm::test;
  for (std::uint64_t address = 0; address < kFourGiB; address += kLargePage)
    REQUIRE(walk(read, kPageTables.value(), address + 8) == address + 8);
  CHECK_FALSE(walk(read, kPageTables.value(), kFourGiB).has_value());
}

TEST_CASE("the GDT in memory is the boot protocol's") {
  LoadingGuest guest;
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  for (std::size_t i = 0; i < std::size(kBootGdt); ++i)
    CHECK(guest.read<std::uint64_t>(kGdt + i * 8) == kBootGdt[i]);
}

TEST_CASE("the initramfs lies at the end of low memory, on a page") {
  LoadingGuest guest;
  const auto initramfs = pattern(5000);
  guest.what.initramfs = initramfs;
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  const auto params = guest.params();
  CHECK(params.hdr.ramdisk_image == 64 * kMiB - 8192);
  CHECK(params.hdr.ramdisk_size == 5000);
  const auto loaded = guest.bytes(GuestPhys(params.hdr.ramdisk_image), 5000);
  CHECK(std::equal(initramfs.begin(), initramfs.end(), loaded.begin()));
}

TEST_CASE("the initramfs lies below 2 GiB, where every kernel accepts it") {
  LoadingGuest guest({5120 * kMiB});
  const auto initramfs = pattern(4096);
  guest.what.initramfs = initramfs;
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  CHECK(guest.params().hdr.ramdisk_image == 2048 * kMiB - 4096);
}

TEST_CASE("the initramfs may reach down to the kernel's end and no further") {
  LoadingGuest guest({32 * kMiB});
  const auto initramfs = pattern(32 * kMiB - kKernelEnd + 1);
  guest.what.initramfs = std::span(initramfs).first(initramfs.size() - 1);
  REQUIRE(guest.load(TinyKernel().bytes()).has_value());
  CHECK(guest.params().hdr.ramdisk_image == kKernelEnd);
  guest.what.initramfs = initramfs;
  const auto refused = guest.refusal(TinyKernel().bytes());
  CHECK(refused.code == ErrorCode::kInvalidArgument);
  CHECK(refused.message == "the guest's memory is too small for its initramfs (12582913B)");
}

TEST_CASE("a command line that the kernel would cut is refused") {
  LoadingGuest guest;
  guest.what.command_line = std::string(2047, 'x');
  CHECK(guest.load(TinyKernel().bytes()).has_value());
  guest.what.command_line += 'x';
  const auto refused = guest.refusal(TinyKernel().bytes());
  CHECK(refused.code == ErrorCode::kInvalidArgument);
  CHECK(refused.message == "a kernel command line of 2048 bytes is too long");
}

TEST_CASE("an ELF that memory does not hold is refused with its size") {
  LoadingGuest guest({18 * kMiB});
  const auto refused = guest.refusal(TinyKernel().bytes());
  CHECK(refused.code == ErrorCode::kInvalidArgument);
  CHECK(refused.message == "the guest's memory is too small for its kernel (20M)");
}

TEST_CASE("an entry outside the ELF's bytes is refused") {
  LoadingGuest guest;
  TinyKernel kernel;
  for (const std::uint64_t entry :
       {kPlace.value() - 1, kPlace.value() + TinyKernel::kTextBytes, ~std::uint64_t{0}}) {
    kernel.header.e_entry = entry;
    const auto refused = guest.refusal(kernel.bytes());
    CHECK(refused.code == ErrorCode::kCorrupt);
    CHECK(refused.message == "kernel ELF: its entry is not in it");
  }
}

TEST_CASE("a damaged ELF's own complaint is passed on") {
  LoadingGuest guest;
  TinyKernel kernel;
  kernel.header.e_machine = EM_ARM;
  CHECK(guest.refusal(kernel.bytes()).message == "kernel ELF: not for x86-64");
}

}  // namespace ktstr::vmm::kvm
