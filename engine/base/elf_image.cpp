#include "engine/base/elf_image.h"

#include <elf.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace ktstr {
namespace {

using ElfHandle = std::unique_ptr<Elf, decltype(&elf_end)>;

Error libelf_error(std::string_view what) {
  const char* reason = elf_errmsg(-1);
  return corrupted(fmt::format("{}: {}", what, reason ? reason : "unknown libelf error"));
}

Result<std::span<const std::byte>> file_range(std::span<const std::byte> file, std::uint64_t offset,
                                              std::uint64_t size, std::string_view what) {
  if (offset > file.size() || size > file.size() - offset)
    return corrupted(fmt::format("{} reaches from {:#x} over {:#x} bytes, beyond the file's {:#x}", what,
                                 offset, size, file.size()));
  return file.subspan(offset, size);
}

Result<ElfHandle> open_handle(std::span<const std::byte> file) {
  if (!is_elf(file)) return corrupted("not an ELF file (no ELF magic)");
  if (elf_version(EV_CURRENT) == EV_NONE) return libelf_error("libelf");
  // libelf takes char* for its writing modes; with elf_memory it only reads.
  auto* bytes = const_cast<char*>(reinterpret_cast<const char*>(file.data()));
  ElfHandle elf(elf_memory(bytes, file.size()), &elf_end);
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF) return libelf_error("ELF header");
  const char* identity = elf_getident(elf.get(), nullptr);
  if (!identity || identity[EI_CLASS] != ELFCLASS64 || identity[EI_DATA] != ELFDATA2LSB)
    return corrupted("not a 64-bit little-endian ELF file");
  return elf;
}

Result<std::vector<ElfSegment>> read_segments(Elf* elf, std::span<const std::byte> file) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0) return libelf_error("program headers");
  std::vector<ElfSegment> segments;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (!gelf_getphdr(elf, static_cast<int>(i), &header))
      return libelf_error(fmt::format("program header {}", i));
    if (header.p_type != PT_LOAD) continue;
    const auto bytes =
        KTSTR_TRY(file_range(file, header.p_offset, header.p_filesz, fmt::format("segment {}", i)));
    segments.push_back({KernelVirt(header.p_vaddr), header.p_memsz, bytes});
  }
  return segments;
}

Result<std::vector<ElfSection>> read_sections(Elf* elf, std::span<const std::byte> file) {
  std::size_t names = 0;
  if (elf_getshdrstrndx(elf, &names) != 0) return libelf_error("section name table");
  std::vector<ElfSection> sections;
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header)) return libelf_error(fmt::format("section {}", elf_ndxscn(section)));
    if (header.sh_type == SHT_NOBITS || header.sh_type == SHT_NULL) continue;
    const char* name = elf_strptr(elf, names, header.sh_name);
    if (!name) return libelf_error(fmt::format("name of section {}", elf_ndxscn(section)));
    const auto bytes =
        KTSTR_TRY(file_range(file, header.sh_offset, header.sh_size, fmt::format("section {}", name)));
    sections.push_back({name, KernelVirt(header.sh_addr), bytes});
  }
  return sections;
}

constexpr std::size_t align_note(std::size_t size) {
  return (size + 3) & ~std::size_t{3};
}

std::string hexadecimal(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

/// libelf reads a file whose header tables are cut off as one without them.
Status check_tables(const GElf_Ehdr& header, std::span<const std::byte> file) {
  KTSTR_TRY(file_range(file, header.e_phoff, std::uint64_t{header.e_phnum} * header.e_phentsize,
                       "program header table"));
  KTSTR_TRY(file_range(file, header.e_shoff, std::uint64_t{header.e_shnum} * header.e_shentsize,
                       "section header table"));
  return ok();
}

/// The build id among the notes of one section: {name size, descriptor size, type, name, descriptor}*, padded
/// to 4 (gABI).
std::optional<std::string> find_build_id(std::span<const std::byte> notes) {
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data(), sizeof header);
    notes = notes.subspan(sizeof header);
    const std::size_t name_bytes = align_note(header.n_namesz);
    const std::size_t descriptor_bytes = align_note(header.n_descsz);
    if (name_bytes > notes.size() || header.n_descsz > notes.size() - name_bytes) return std::nullopt;
    const bool is_gnu = header.n_namesz == 4 && std::memcmp(notes.data(), "GNU", 4) == 0;
    if (is_gnu && header.n_type == NT_GNU_BUILD_ID && header.n_descsz > 0 && header.n_descsz <= 64)
      return hexadecimal(notes.subspan(name_bytes, header.n_descsz));
    notes = notes.subspan(std::min(notes.size(), name_bytes + descriptor_bytes));
  }
  return std::nullopt;
}

}  // namespace

bool is_elf(std::span<const std::byte> file) {
  return file.size() >= SELFMAG && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0;
}

Result<ElfImage> ElfImage::open(std::span<const std::byte> file) {
  const ElfHandle elf = KTSTR_TRY(open_handle(file));
  GElf_Ehdr header;
  if (!gelf_getehdr(elf.get(), &header)) return libelf_error("ELF header");
  KTSTR_TRY(check_tables(header, file));
  ElfImage image;
  image.machine_ = header.e_machine;
  image.segments_ = KTSTR_TRY(read_segments(elf.get(), file));
  image.sections_ = KTSTR_TRY(read_sections(elf.get(), file));
  for (const ElfSection& section : image.sections_) {
    if (image.build_id_ || !(section.name.starts_with(".note"))) continue;
    image.build_id_ = find_build_id(section.bytes);
  }
  return image;
}

const ElfSection* ElfImage::section(std::string_view name) const {
  const auto found =
      std::find_if(sections_.begin(), sections_.end(), [&](const auto& s) { return s.name == name; });
  return found == sections_.end() ? nullptr : &*found;
}

std::optional<std::span<const std::byte>> ElfImage::bytes_at(KernelVirt address, std::uint64_t size) const {
  for (const ElfSegment& segment : segments_) {
    const std::uint64_t offset = address - segment.address;
    if (offset < segment.bytes.size() && size <= segment.bytes.size() - offset)
      return segment.bytes.subspan(offset, size);
  }
  return std::nullopt;
}

}  // namespace ktstr
