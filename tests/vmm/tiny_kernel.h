// A kernel's ELF, small and with relocations, for tests of what moves and loads one.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm::test {

/// A kernel of one segment: a 64-bit and a 32-bit pointer to itself, and a 32-bit distance that shrinks as
/// the kernel moves up.
struct TinyKernel {
  static constexpr std::uint64_t kText = 0xffffffff81000000;  // linked here
  static constexpr std::uint64_t kPlace = 16 * kMiB;          // physical
  static constexpr std::size_t kTextOffset = 0x400;
  static constexpr std::size_t kTextBytes = 0x100;

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
    header.e_entry = kPlace;
    header.e_phoff = sizeof(header);
    header.e_phnum = 1;
    header.e_phentsize = sizeof(Elf64_Phdr);
    segment = {PT_LOAD, PF_R | PF_X, kTextOffset, kText, kPlace, kTextBytes, 4 * kMiB, 2 * kMiB};
    relocations = {0, at(0), 0, at(12), 0, at(8)};
  }

  static std::int32_t at(std::uint64_t offset) { return static_cast<std::int32_t>(kText + offset); }

  [[nodiscard]] std::vector<std::byte> bytes() const {
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

}  // namespace ktstr::vmm::test
