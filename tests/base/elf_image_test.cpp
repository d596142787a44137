#include "engine/base/elf_image.h"

#include <doctest/doctest.h>

#include "tests/base/elf_builder.h"

using namespace ktstr;
using test::Bytes;
using test::bytes_of;
using test::ElfBuilder;

namespace {

Bytes small_elf() {
  return ElfBuilder()
      .segment(0xffffffff81000000, bytes_of("textTEXT"), 8)
      .segment(0xffffffff82000000, bytes_of("data"))
      .section(".BTF", 0xffffffff82a00000, bytes_of("btf bytes"))
      .build_id("\x01\xab\xcd")
      .build();
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("an ELF file's sections, segments and build id are found") {
  const Bytes file = small_elf();
  const auto elf = ElfImage::open(file);
  REQUIRE(elf);
  CHECK(elf->machine() == EM_X86_64);
  CHECK(elf->build_id() == "01abcd");
  REQUIRE(elf->section(".BTF"));
  CHECK(text_of(elf->section(".BTF")->bytes) == "btf bytes");
  CHECK(elf->section(".BTF")->address == KernelVirt(0xffffffff82a00000));
  CHECK(elf->section(".debug_info") == nullptr);
  REQUIRE(elf->segments().size() == 2);
  CHECK(elf->segments()[0].memory_bytes == 16);
}

TEST_CASE("bytes are found by their link-time address, within one segment") {
  const Bytes file = small_elf();
  const auto elf = ElfImage::open(file);
  REQUIRE(elf);
  const auto found = elf->bytes_at(KernelVirt(0xffffffff81000004), 4);
  REQUIRE(found);
  CHECK(text_of(*found) == "TEXT");
  CHECK_FALSE(elf->bytes_at(KernelVirt(0xffffffff81000004), 5));
  CHECK_FALSE(elf->bytes_at(KernelVirt(0xffffffff81000008), 1));
  CHECK_FALSE(elf->bytes_at(KernelVirt(0xffffffff80ffffff), 1));
  CHECK_FALSE(elf->bytes_at(KernelVirt(0xffffffff81000000), ~std::uint64_t{0}));
}

TEST_CASE("a file cut short at any byte is an error and never read beyond its end") {
  const Bytes file = small_elf();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
    const auto elf = ElfImage::open(cut);
    CHECK_FALSE(elf);
    CHECK(elf.error().code == ErrorCode::kCorrupt);
  }
}

TEST_CASE("a file with any byte changed is read within its bounds") {
  const Bytes file = small_elf();
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (const auto flip : {std::byte{0xff}, std::byte{0x80}, std::byte{0x01}}) {
      Bytes changed = file;
      changed[at] ^= flip;
      const auto elf = ElfImage::open(changed);
      if (!elf) continue;
      for (const ElfSection& section : elf->sections()) {
        CHECK(section.bytes.data() >= changed.data());
        CHECK(section.bytes.data() + section.bytes.size() <= changed.data() + changed.size());
      }
    }
  }
}

TEST_CASE("what is wrong with the file is said") {
  const auto message = [](const Bytes& file) { return ElfImage::open(file).error().message; };
  CHECK(message(bytes_of("#!/bin/sh")) == "not an ELF file (no ELF magic)");
  Bytes elf32 = small_elf();
  elf32[EI_CLASS] = std::byte{ELFCLASS32};
  CHECK_FALSE(ElfImage::open(elf32));
  Bytes long_segment = small_elf();
  const std::uint64_t size = 1 << 20;
  std::memcpy(long_segment.data() + sizeof(Elf64_Ehdr) + offsetof(Elf64_Phdr, p_filesz), &size, sizeof size);
  CHECK(message(long_segment).find("segment 0 reaches from") != std::string::npos);
}
