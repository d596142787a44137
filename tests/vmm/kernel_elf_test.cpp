#include "vmm/kernel_elf.h"

#include <doctest/doctest.h>

#include "tests/vmm/tiny_kernel.h"

namespace ktstr::vmm {
namespace {

using test::TinyKernel;

std::string message_of(const TinyKernel& kernel) {
  const auto file = kernel.bytes();
  const auto read = KernelElf::read(file);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == ErrorCode::kCorrupt);
  return read.error().message;
}

template <class Change>
std::string complaint(Change change) {
  TinyKernel kernel;
  change(kernel);
  return message_of(kernel);
}

}  // namespace

TEST_CASE("a kernel's segments, the end of its memory and the end of its ELF are found") {
  const auto file = TinyKernel().bytes();
  const auto kernel = KernelElf::read(file);
  REQUIRE(kernel.has_value());
  REQUIRE(kernel->segments.size() == 1);
  CHECK(kernel->segments[0].p_paddr == TinyKernel::kPlace);
  CHECK(kernel->link_end() == TinyKernel::kPlace + 4 * kMiB);
  CHECK(kernel->end == TinyKernel::kTextOffset + TinyKernel::kTextBytes);
}

TEST_CASE("each fault of an ELF is told") {
  CHECK(complaint([](auto& k) { k.header.e_ident[0] = 0; }) == "kernel ELF: no ELF");
  CHECK(complaint([](auto& k) { k.header.e_machine = EM_ARM; }) == "kernel ELF: not for x86-64");
  CHECK(complaint([](auto& k) { k.header.e_phentsize = 1; }) ==
        "kernel ELF: a table of entries of unknown size");
  CHECK(complaint([](auto& k) { k.header.e_phoff = ~0ULL - 8; }) ==
        "kernel ELF: a table lies outside the file");
  CHECK(complaint([](auto& k) { k.segment.p_type = PT_NOTE; }) == "kernel ELF: nothing to load");
  CHECK(complaint([](auto& k) { k.segment.p_offset = ~0ULL; }) ==
        "kernel ELF: a segment lies outside the file");
  CHECK(complaint([](auto& k) { k.segment.p_filesz = k.segment.p_memsz + 1; }) ==
        "kernel ELF: a segment lies outside the file");
  CHECK(complaint([](auto& k) { k.segment.p_paddr = KernelElf::kLowestSegment - 1; }) ==
        "kernel ELF: a segment lies outside the kernel's range");
  CHECK(complaint([](auto& k) { k.segment.p_memsz = 1024 * kMiB - TinyKernel::kPlace + 1; }) ==
        "kernel ELF: a segment lies outside the kernel's range");
  CHECK(complaint([](auto& k) { k.header.e_shoff = 1 * kMiB; }) ==
        "kernel ELF: a table lies outside the file");
}

TEST_CASE("a file that ends inside its header is no ELF") {
  const auto file = TinyKernel().bytes();
  for (const std::size_t bytes : {std::size_t{0}, std::size_t{4}, sizeof(Elf64_Ehdr) - 1})
    CHECK(KernelElf::read(std::span(file).first(bytes)).error().message == "kernel ELF: no ELF");
}

TEST_CASE("a section that ends behind the file is refused, but for one that has no bytes there") {
  TinyKernel kernel;
  kernel.header.e_shoff = TinyKernel::kTextOffset;
  kernel.header.e_shnum = 1;
  kernel.header.e_shentsize = sizeof(Elf64_Shdr);
  auto file = kernel.bytes();
  Elf64_Shdr section{};
  section.sh_size = 1 * kMiB;
  section.sh_type = SHT_NOBITS;
  std::memcpy(file.data() + kernel.header.e_shoff, &section, sizeof(section));
  CHECK(KernelElf::read(file).has_value());
  section.sh_type = SHT_PROGBITS;
  std::memcpy(file.data() + kernel.header.e_shoff, &section, sizeof(section));
  CHECK(KernelElf::read(file).error().message == "kernel ELF: a section lies outside the file");
}

TEST_CASE("more segments than any kernel has are refused") {
  TinyKernel kernel;
  auto file = kernel.bytes();
  kernel.header.e_phnum = 17;
  std::memcpy(file.data(), &kernel.header, sizeof(kernel.header));
  for (std::size_t i = 0; i < kernel.header.e_phnum; ++i)
    std::memcpy(file.data() + sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr), &kernel.segment,
                sizeof(kernel.segment));
  CHECK(KernelElf::read(file).error().message == "kernel ELF: too many segments");
}

}  // namespace ktstr::vmm
