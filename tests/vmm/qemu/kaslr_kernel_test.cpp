#include "vmm/qemu/kaslr_kernel.h"

#include <doctest/doctest.h>
#include <elf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "tests/vmm/mebibyte.h"
#include "vmm/kernel_elf.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kText = 0xffffffff81000000;
constexpr std::size_t kTextOffset = 0x1000;
constexpr std::size_t kTextBytes = 0x100;
constexpr std::uint64_t kSlide = 32 * kMiB;

/// A kernel of one segment: a 64-bit and a 32-bit pointer to itself, and a 32-bit distance that shrinks as
/// the kernel moves up.
struct TinyKernel {
  Elf64_Ehdr header{};
  Elf64_Phdr segment{};
  std::uint64_t pointer64 = kText + 0x40;
  std::uint32_t pointer32 = static_cast<std::uint32_t>(kText + 0x40);
  std::uint32_t distance = 0x10000000;
  std::vector<std::int32_t> relocations;

  TinyKernel() {
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_machine = EM_X86_64;
    header.e_entry = 16 * kMiB;
    header.e_phoff = sizeof(header);
    header.e_phnum = 1;
    header.e_phentsize = sizeof(Elf64_Phdr);
    segment = {PT_LOAD, PF_R | PF_X, kTextOffset, kText, 16 * kMiB, kTextBytes, 4 * kMiB, 2 * kMiB};
    relocations = {0, at(0), 0, at(12), 0, at(8)};
  }

  static std::int32_t at(std::uint64_t offset) { return static_cast<std::int32_t>(kText + offset); }

  std::vector<std::byte> bytes() const {
    std::vector<std::byte> file(kTextOffset + kTextBytes);
    std::memcpy(file.data(), &header, sizeof(header));
    std::memcpy(file.data() + sizeof(header), &segment, sizeof(segment));
    std::memcpy(file.data() + kTextOffset, &pointer64, 8);
    std::memcpy(file.data() + kTextOffset + 8, &pointer32, 4);
    std::memcpy(file.data() + kTextOffset + 12, &distance, 4);
    const auto* words = reinterpret_cast<const std::byte*>(relocations.data());
    file.insert(file.end(), words, words + relocations.size() * sizeof(std::int32_t));
    return file;
  }
};

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
  const auto made = make_kaslr_kernel(kernel.bytes(), kSlide);
  REQUIRE_FALSE(made.has_value());
  return made.error().code;
}

}  // namespace

TEST_CASE("a relocation table is split at its zeros, with or without the inverse list") {
  const std::int32_t without[] = {0, 1, 2, 0, 3};
  const auto two = parse_relocations(without);
  REQUIRE(two.has_value());
  CHECK(std::vector(two->add64.begin(), two->add64.end()) == std::vector<std::int32_t>{1, 2});
  CHECK(two->subtract32.empty());
  CHECK(std::vector(two->add32.begin(), two->add32.end()) == std::vector<std::int32_t>{3});
  const std::int32_t with[] = {0, 1, 0, 0, 3, 4};
  const auto three = parse_relocations(with);
  REQUIRE(three.has_value());
  CHECK(three->subtract32.empty());
  CHECK(three->add32.size() == 2);
}

TEST_CASE("words that are no relocation table are told apart") {
  CHECK_FALSE(parse_relocations({}).has_value());
  for (const auto& words : {std::vector<std::int32_t>{1, 2}, {0, 1, 2}, {0, 1, 0, 2, 0, 3, 0, 4}})
    CHECK_FALSE(parse_relocations(words).has_value());
}

TEST_CASE("a slid kernel has its pointers moved and its distances kept, at the same physical place") {
  const auto made = make_kaslr_kernel(TinyKernel().bytes(), kSlide);
  REQUIRE(made.has_value());
  const auto image = read_all(*made);
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
  const auto image = read_all(*make_kaslr_kernel(TinyKernel().bytes(), kSlide));
  const auto header = value_at<Elf64_Ehdr>(image, 0);
  const auto note = value_at<Elf64_Phdr>(image, header.e_phoff);
  const auto entry = value_at<Elf64_Phdr>(image, header.e_phoff + sizeof(Elf64_Phdr));
  CHECK(note.p_type == PT_NOTE);
  CHECK(value_at<Elf64_Nhdr>(image, note.p_offset).n_type == 18);
  CHECK(value_at<std::uint64_t>(image, note.p_offset + sizeof(Elf64_Nhdr) + 4) == entry.p_paddr);
  CHECK(entry.p_paddr + entry.p_memsz <= 16 * kMiB);
}

TEST_CASE("a kernel without relocations can't be moved") {
  TinyKernel kernel;
  kernel.relocations.clear();
  CHECK(error_of(kernel) == ErrorCode::kUnavailable);
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

TEST_CASE("the largest slide leaves the kernel inside its 1 GiB of virtual addresses") {
  CHECK(largest_slide(80 * kMiB) == 944 * kMiB);
  CHECK(largest_slide(80 * kMiB + 1) == 942 * kMiB);
  CHECK(largest_slide(1024 * kMiB) == 0);
  CHECK(largest_slide(~0ULL) == 0);
}

}  // namespace ktstr::vmm::qemu
