#include "vmm/kernel_image.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vmm/kernels/image_builder.h"

using namespace ktstr;
using namespace ktstr::test;
using vmm::extract_kernel;

namespace {

constexpr const char* kRelease = "9.8.7+test-cloud-amd64";

struct Packing {
  const char* name;
  Bytes (*pack)(const Bytes&);
};
constexpr Packing kPackings[] = {
    {"zstd", &zstd_payload}, {"gzip", &gzip_payload}, {"xz", &xz_payload}, {"lz4", &lz4_payload}};

Bytes cut(const Bytes& bytes, std::size_t size) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::string message_for(const Bytes& image) {
  const auto kernel = extract_kernel(image);
  return kernel ? "no error" : kernel.error().message;
}

}  // namespace

TEST_CASE("a bzImage of every supported compression gives its ELF, release and build id") {
  const Bytes elf = kernel_elf(kRelease, "\x12\x34");
  for (const Packing& packing : kPackings) {
    CAPTURE(packing.name);
    const Bytes image = bzimage(packing.pack(elf));
    const auto kernel = extract_kernel(image);
    REQUIRE_MESSAGE(kernel, message_for(image));
    CHECK(kernel->format == vmm::ImageFormat::kBzImage);
    CHECK(kernel->release == kRelease);
    CHECK(kernel->build_id == "1234");
    CHECK(std::ranges::equal(kernel->elf, elf));
  }
}

TEST_CASE("an ELF is its own kernel") {
  const Bytes elf = kernel_elf(kRelease, "");
  const auto kernel = extract_kernel(elf);
  REQUIRE(kernel);
  CHECK(kernel->format == vmm::ImageFormat::kElf);
  CHECK(kernel->elf.data() == elf.data());
  CHECK(kernel->build_id == std::nullopt);
}

TEST_CASE("a bzImage cut short at any byte is an error") {
  for (const Packing& packing : kPackings) {
    CAPTURE(packing.name);
    const Bytes image = bzimage(packing.pack(kernel_elf(kRelease, "id")));
    for (std::size_t size = 0; size < image.size(); ++size) CHECK_FALSE(extract_kernel(cut(image, size)));
  }
}

TEST_CASE("a payload cut short at any byte is an error though its header agrees") {
  for (const Packing& packing : kPackings) {
    CAPTURE(packing.name);
    const Bytes payload = packing.pack(kernel_elf(kRelease, "id"));
    for (std::size_t size = 0; size < payload.size(); ++size)
      CHECK_FALSE(extract_kernel(bzimage(cut(payload, size))));
  }
}

TEST_CASE("a payload with any byte changed gives an error or a kernel with a proper release") {
  for (const Packing& packing : kPackings) {
    CAPTURE(packing.name);
    const Bytes payload = packing.pack(kernel_elf(kRelease, "id"));
    for (std::size_t at = 0; at < payload.size(); ++at) {
      Bytes changed = payload;
      changed[at] ^= std::byte{0x41};
      const auto kernel = extract_kernel(bzimage(changed));
      if (kernel) CHECK(vmm::is_valid_release(kernel->release));
    }
  }
}

TEST_CASE("a payload that gives more than it announces is stopped there") {
  for (const Packing& packing : kPackings) {
    CAPTURE(packing.name);
    Bytes payload = packing.pack(Bytes(1 << 20));
    const std::uint32_t announced = 5000;
    std::memcpy(payload.data() + payload.size() - 4, &announced, 4);
    CHECK(message_for(bzimage(payload)).find("gives more than the 5000 bytes announced") !=
          std::string::npos);
  }
}

TEST_CASE("a payload that no kernel shrinks to is not unpacked") {
  const auto bomb = extract_kernel(bzimage(zstd_payload(Bytes(32 << 20))));
  REQUIRE_FALSE(bomb);
  CHECK(bomb.error().code == ErrorCode::kCorrupt);
  CHECK(bomb.error().message.find("announces 33554432: no kernel is compressed so well") !=
        std::string::npos);
}

TEST_CASE("a payload that gives less than it announces is an error") {
  Bytes payload = zstd_payload(kernel_elf(kRelease, "id"));
  const std::uint32_t announced = 50000;
  std::memcpy(payload.data() + payload.size() - 4, &announced, 4);
  CHECK(message_for(bzimage(payload)).find("50000 were announced") != std::string::npos);
}

TEST_CASE("what is wrong with an image is said") {
  CHECK(message_for(bytes_of("hello")) == "neither a bzImage (no HdrS header) nor an ELF file");
  CHECK(message_for(Bytes()) == "neither a bzImage (no HdrS header) nor an ELF file");
  CHECK(message_for(cut(bzimage({}), 0x210)) == "bzImage ends inside its setup header (528 bytes)");
  CHECK(message_for(cut(bzimage(zstd_payload(kernel_elf(kRelease, ""))), 1130))
            .find("beyond the image's 1130") != std::string::npos);
  CHECK(message_for(bzimage(bytes_of("not compressed at all"))) ==
        "bzImage's payload begins with no known compression's magic");
  CHECK(message_for(bzimage(bytes_of("BZh91AY&SY......"))).find("bzip2, which is not supported") !=
        std::string::npos);
  CHECK(message_for(bzimage(zstd_payload(bytes_of("not an ELF")))) == "not an ELF file (no ELF magic)");
  Bytes old = bzimage(zstd_payload(kernel_elf(kRelease, "")));
  old[0x206] = std::byte{7};
  CHECK(message_for(old) == "boot protocol 2.07 has no payload fields");
}

TEST_CASE("an ELF that is no x86-64 Linux kernel is refused") {
  ElfBuilder arm;
  arm.machine = EM_AARCH64;
  CHECK(message_for(arm.segment(0, bytes_of("Linux version 9.1.0 ")).build()) ==
        "ELF machine 183: not an x86-64 kernel");
  CHECK(message_for(ElfBuilder().segment(0, bytes_of("hello")).build()) ==
        "no \"Linux version\" text: not a Linux kernel");
  CHECK(message_for(ElfBuilder().section(".text", 0, bytes_of("hello")).build()) ==
        "ELF without a loadable segment: not a kernel");
}

TEST_CASE("a release that could not be a file name's part is not taken for one") {
  CHECK(vmm::is_valid_release("6.18.15+deb13-cloud-amd64"));
  CHECK(vmm::is_valid_release("7.4.0-rc1~exp1"));
  for (const char* bad : {"", "../../etc", "7.3/..", "v7", ".7", "7.3 4", "7.3\n", "%s"}) {
    CAPTURE(bad);
    CHECK_FALSE(vmm::is_valid_release(bad));
  }
  CHECK_FALSE(vmm::is_valid_release(std::string(65, '7')));
  const auto hostile = extract_kernel(kernel_elf("../../x", ""));
  CHECK_FALSE(hostile);
}
