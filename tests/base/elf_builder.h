// Builds small ELF64 files for tests.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ktstr::test {

using Bytes = std::vector<std::byte>;

inline void append(Bytes& to, std::span<const std::byte> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
template <class T>
void append_value(Bytes& to, const T& value) {
  append(to, std::as_bytes(std::span(&value, 1)));
}
inline Bytes bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  return {bytes.begin(), bytes.end()};
}

/// Collects sections and segments; build() lays them out as header, program headers, contents, names, section
/// headers.
class ElfBuilder {
 public:
  std::uint16_t machine = EM_X86_64;

  ElfBuilder& section(std::string name, std::uint64_t address, Bytes bytes,
                      std::uint32_t type = SHT_PROGBITS) {
    sections_.push_back({std::move(name), address, std::move(bytes), type});
    return *this;
  }
  ElfBuilder& segment(std::uint64_t address, Bytes bytes, std::uint64_t extra_memory = 0) {
    segments_.push_back({address, std::move(bytes), extra_memory});
    return *this;
  }
  /// A .note section with a GNU build id.
  ElfBuilder& build_id(std::string_view id) {
    Bytes note;
    append_value(note, Elf64_Nhdr{4, static_cast<std::uint32_t>(id.size()), NT_GNU_BUILD_ID});
    append(note, bytes_of(std::string_view("GNU\0", 4)));
    append(note, bytes_of(id));
    return section(".notes", 0, std::move(note), SHT_NOTE);
  }

  [[nodiscard]] Bytes build() const {
    Bytes file(sizeof(Elf64_Ehdr) + segments_.size() * sizeof(Elf64_Phdr));
    std::vector<Elf64_Phdr> programs;
    for (const Segment& s : segments_) {
      programs.push_back({PT_LOAD, PF_R, file.size(), s.address, s.address, s.bytes.size(),
                          s.bytes.size() + s.extra_memory, 8});
      append(file, s.bytes);
    }
    std::vector<Elf64_Shdr> headers(1);
    std::string names(1, '\0');
    for (const Section& s : sections_) {
      headers.push_back(header(names, s.name, s.type, s.address, file.size(), s.bytes.size()));
      append(file, s.bytes);
    }
    Elf64_Shdr name_section = header(names, ".shstrtab", SHT_STRTAB, 0, file.size(), 0);
    name_section.sh_size = names.size();
    headers.push_back(name_section);
    append(file, bytes_of(names));
    finish(file, programs, headers);
    return file;
  }

 private:
  struct Section {
    std::string name;
    std::uint64_t address;
    Bytes bytes;
    std::uint32_t type;
  };
  struct Segment {
    std::uint64_t address;
    Bytes bytes;
    std::uint64_t extra_memory;
  };

  static Elf64_Shdr header(std::string& names, const std::string& name, std::uint32_t type,
                           std::uint64_t address, std::size_t offset, std::size_t size) {
    Elf64_Shdr result{};
    result.sh_name = static_cast<std::uint32_t>(names.size());
    result.sh_type = type;
    result.sh_addr = address;
    result.sh_offset = offset;
    result.sh_size = size;
    result.sh_addralign = 1;
    names += name + '\0';
    return result;
  }

  void finish(Bytes& file, const std::vector<Elf64_Phdr>& programs,
              const std::vector<Elf64_Shdr>& headers) const {
    file.resize((file.size() + 7) / 8 * 8);
    Elf64_Ehdr elf{};
    std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
    elf.e_ident[EI_CLASS] = ELFCLASS64;
    elf.e_ident[EI_DATA] = ELFDATA2LSB;
    elf.e_ident[EI_VERSION] = EV_CURRENT;
    elf.e_type = ET_EXEC;
    elf.e_machine = machine;
    elf.e_version = EV_CURRENT;
    elf.e_phoff = sizeof elf;
    elf.e_shoff = file.size();
    elf.e_ehsize = sizeof elf;
    elf.e_phentsize = sizeof(Elf64_Phdr);
    elf.e_phnum = static_cast<std::uint16_t>(programs.size());
    elf.e_shentsize = sizeof(Elf64_Shdr);
    elf.e_shnum = static_cast<std::uint16_t>(headers.size());
    elf.e_shstrndx = static_cast<std::uint16_t>(headers.size() - 1);
    std::memcpy(file.data(), &elf, sizeof elf);
    if (!programs.empty())
      std::memcpy(file.data() + sizeof elf, programs.data(), programs.size() * sizeof(Elf64_Phdr));
    append(file, std::as_bytes(std::span(headers)));
  }

  std::vector<Section> sections_;
  std::vector<Segment> segments_;
};

}  // namespace ktstr::test
