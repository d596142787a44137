#include "introspect/memory_image.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "introspect/kernel.h"
#include "tests/introspect/fake_kernel.h"
#include "tests/introspect/scratch_file.h"

using namespace ktstr;
using namespace ktstr::introspect;
using namespace ktstr::introspect::test;

namespace {

void overwrite(const std::filesystem::path& path, std::streamoff offset, std::uint32_t value) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset).write(reinterpret_cast<const char*>(&value), sizeof(value));
  REQUIRE(file.good());
}

}  // namespace

TEST_CASE("a saved guest is attached to as the living one is") {
  const FakeKernel guest({.pti = true});
  const ScratchFile file;
  CpuContext vcpu = guest.vcpu(true);
  vcpu.idt_base = 0xffff'fe00'0000'0000;
  REQUIRE(save_memory_image(file.path(), guest.memory(), std::span(&vcpu, 1)));
  const auto image = MemoryImage::open(file.path());
  REQUIRE_MESSAGE(image.has_value(), image.error().message);
  REQUIRE(image->vcpus().size() == 1);
  CHECK(image->vcpus()[0].cr3 == vcpu.cr3);
  CHECK(image->vcpus()[0].idt_base == vcpu.idt_base);
  CHECK(image->vcpus()[0].lstar == vcpu.lstar);
  const auto kernel = Kernel::attach(image->memory(), guest.debug_info(), image->vcpus());
  REQUIRE(kernel.has_value());
  CHECK(kernel->banner() == "Linux version 7.3.4 (fake) #1 SMP");
}

TEST_CASE("regions keep their places, holes stay holes and absent registers absent") {
  const std::vector<std::byte> low(5000, std::byte{1}), high(3, std::byte{2});
  const ScratchFile file;
  const CpuContext bare{};
  REQUIRE(save_memory_image(file.path(),
                            SpanMemory({{GuestPhys(0x1000), low}, {GuestPhys(1ULL << 32), high}}),
                            std::span(&bare, 1)));
  const auto image = MemoryImage::open(file.path());
  REQUIRE(image.has_value());
  CHECK(image->memory().read_value<std::uint16_t>(GuestPhys(0x1000 + 4998)) == 0x0101);
  CHECK(image->memory().read_value<std::uint8_t>(GuestPhys((1ULL << 32) + 2)) == 2);
  CHECK_FALSE(image->memory().read_value<std::uint8_t>(GuestPhys(0x1000 + 5000)).has_value());
  CHECK(image->memory().end() == GuestPhys((1ULL << 32) + 3));
  CHECK_FALSE(image->vcpus()[0].idt_base.has_value());
  CHECK_FALSE(image->vcpus()[0].lstar.has_value());
}

TEST_CASE("damaged files are refused with the part that is wrong") {
  const std::vector<std::byte> ram(8192, std::byte{1});
  const ScratchFile file;
  const auto damage = [&](std::streamoff offset, std::uint32_t value) {
    REQUIRE(save_memory_image(file.path(), SpanMemory({{GuestPhys(0), ram}}), {}));
    overwrite(file.path(), offset, value);
    const auto image = MemoryImage::open(file.path());
    return image ? std::string("opened") : image.error().message.substr(file.path().string().size() + 2);
  };
  CHECK(damage(0, 0) == "not a memory image");
  CHECK(damage(8, 2) ==
        "written by a newer ktstr (format 2.0; this one reads 1.x): use a ktstr of that version "
        "or newer");
  CHECK(damage(8, 1 | 3 << 16) == "opened");
  CHECK(damage(12, 0xffff'ffff) == "impossible counts in the header");
  CHECK(damage(24 + 12, 1) == "damaged table of regions, or the file is cut short");
  CHECK(damage(24 + 20, 0xffff'ffff) == "damaged table of regions, or the file is cut short");
  CHECK(damage(12, 2) == "damaged table of regions, or the file is cut short");
  CHECK(damage(16, 4000) == "the table of vCPUs is cut short");
  std::filesystem::resize_file(file.path(), 10000);
  CHECK(MemoryImage::open(file.path()).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a file that can't be written leaves nothing behind") {
  const std::vector<std::byte> ram(4096, std::byte{1});
  const auto status = save_memory_image("/no/such/directory/image", SpanMemory({{GuestPhys(0), ram}}), {});
  CHECK(status.error().code == ErrorCode::kNotFound);
  CHECK(MemoryImage::open("/no/such/directory/image").error().code == ErrorCode::kNotFound);
}
