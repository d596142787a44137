#include <doctest/doctest.h>

#include "tests/vmm/kvm/loading_guest.h"
#include "tests/vmm/kvm/tiny_bzimage.h"

namespace ktstr::vmm::kvm {
namespace {

using test::LoadingGuest;
using test::TinyBzImage;

constexpr GuestPhys kBzImagePlace(TinyBzImage::kPlace);

void check_kernel_lies_at(const LoadingGuest& guest, GuestPhys place) {
  for (std::size_t i = 0; i < TinyBzImage::kKernelBytes; ++i)
    REQUIRE(guest.read<std::uint8_t>(place + i) == static_cast<std::uint8_t>(i));
}

template <class Change>
Error refusal(Change change) {
  TinyBzImage image;
  change(image);
  return LoadingGuest().refusal(image.bytes());
}

}  // namespace

TEST_CASE("a bzImage's protected-mode kernel lies where it prefers, and is entered 0x200 behind") {
  LoadingGuest guest;
  const auto entry = guest.load(TinyBzImage().bytes());
  REQUIRE(entry.has_value());
  CHECK(entry->entry == kBzImagePlace + 0x200);
  CHECK(entry->boot_params == kBootParams);
  check_kernel_lies_at(guest, kBzImagePlace);
}

TEST_CASE("a bzImage's header is passed on, with what a loader fills in") {
  LoadingGuest guest;
  TinyBzImage image;
  image.header.payload_offset = 0x1234;
  REQUIRE(guest.load(image.bytes()).has_value());
  const auto header = guest.params().hdr;
  CHECK(header.payload_offset == 0x1234);
  CHECK(header.init_size == TinyBzImage::kInitBytes);
  CHECK(header.type_of_loader == 0xff);
  CHECK((header.loadflags & LOADED_HIGH) != 0);
  CHECK(header.cmd_line_ptr == kCommandLine.value());
}

TEST_CASE("a bzImage is left to randomize itself") {
  LoadingGuest guest;
  guest.what.kaslr = true;
  REQUIRE(guest.load(TinyBzImage().bytes()).has_value());
  CHECK((guest.params().hdr.loadflags & KASLR_FLAG) == 0);
  check_kernel_lies_at(guest, kBzImagePlace);
}

TEST_CASE("0 setup sectors mean 4") {
  LoadingGuest guest;
  TinyBzImage image;
  image.header.setup_sects = 0;
  image.sectors = 4;
  REQUIRE(guest.load(image.bytes()).has_value());
  check_kernel_lies_at(guest, kBzImagePlace);
}

TEST_CASE("what is neither ELF nor bzImage is refused") {
  const auto is_unknown = [](const Error& error) {
    return error.code == ErrorCode::kCorrupt && error.message == "kernel image: neither ELF nor bzImage";
  };
  CHECK(is_unknown(LoadingGuest().refusal({})));
  CHECK(is_unknown(refusal([](auto& image) { image.header.header = 0; })));
  const auto image = TinyBzImage().bytes();
  const auto header_end = TinyBzImage::kHeader + sizeof(setup_header);
  CHECK(is_unknown(LoadingGuest().refusal(std::span(image).first(header_end - 1))));
}

TEST_CASE("a bzImage without a 64-bit entry is refused") {
  for (const auto& error : {refusal([](auto& image) { image.header.version = 0x020b; }),
                            refusal([](auto& image) { image.header.xloadflags = 0; })}) {
    CHECK(error.code == ErrorCode::kUnavailable);
    CHECK(error.message == "this bzImage has no 64-bit entry");
  }
}

TEST_CASE("a bzImage that ends before its entry is truncated") {
  const auto image = TinyBzImage().bytes();
  const auto entry = 4 * TinyBzImage::kSector + 0x200;
  const auto error = LoadingGuest().refusal(std::span(image).first(entry));
  CHECK(error.code == ErrorCode::kCorrupt);
  CHECK(error.message == "kernel image: truncated");
  CHECK(LoadingGuest().load(std::span(image).first(entry + 1)).has_value());
}

TEST_CASE("a bzImage that needs more memory than there is behind its place is refused with what it needs") {
  const auto error = refusal([](auto& image) { image.header.init_size = 48 * kMiB + 1; });
  CHECK(error.code == ErrorCode::kInvalidArgument);
  CHECK(error.message == "the guest's memory is too small for its kernel (50331649B)");
  TinyBzImage image;
  image.header.init_size = 48 * kMiB;
  CHECK(LoadingGuest().load(image.bytes()).has_value());
}

TEST_CASE("a bzImage that prefers an address below 1 MiB or in the hole below 4 GiB is refused") {
  for (const std::uint64_t address : {0ULL, 0xfffffULL, 0xc0000000ULL, ~0ULL}) {
    const auto error = refusal([&](auto& image) { image.header.pref_address = address; });
    CHECK(error.code == ErrorCode::kCorrupt);
    CHECK(error.message == "kernel image: wants an address where no kernel lies");
  }
}

TEST_CASE("an initramfs does not reach into what a bzImage unpacks into, nor into its bytes") {
  const auto free_bytes = 64 * kMiB - (TinyBzImage::kPlace + TinyBzImage::kInitBytes);
  const std::vector<std::byte> initramfs(free_bytes + 1);
  LoadingGuest guest;
  guest.what.initramfs = std::span(initramfs).first(free_bytes);
  CHECK(guest.load(TinyBzImage().bytes()).has_value());
  guest.what.initramfs = initramfs;
  CHECK(guest.refusal(TinyBzImage().bytes()).message.find("too small for its initramfs") !=
        std::string::npos);
  TinyBzImage small;
  small.header.init_size = 0;
  guest.what.initramfs = std::span(initramfs).first(4096);
  CHECK(guest.load(small.bytes()).has_value());
  check_kernel_lies_at(guest, kBzImagePlace);
}

}  // namespace ktstr::vmm::kvm
