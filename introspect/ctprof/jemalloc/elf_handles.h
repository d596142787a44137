// Owners of what libelf and libdwfl open.
#pragma once

#include <elfutils/libdwfl.h>
#include <gelf.h>

#include <memory>

namespace ktstr::introspect::ctprof {

struct EndElf {
  void operator()(Elf* elf) const { ::elf_end(elf); }
};
struct EndDwfl {
  void operator()(Dwfl* dwfl) const { ::dwfl_end(dwfl); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;
using DwflHandle = std::unique_ptr<Dwfl, EndDwfl>;

/// Calls visit(section, header) for each section of that type until it returns true; whether it did.
template <class Visit>
bool any_section(Elf* elf, std::uint32_t type, Visit visit) {
  Elf_Scn* section = nullptr;
  while ((section = ::elf_nextscn(elf, section))) {
    GElf_Shdr header;
    if (::gelf_getshdr(section, &header) && header.sh_type == type && visit(section, header)) return true;
  }
  return false;
}

/// Calls visit(header) for each program header.
template <class Visit>
void for_each_segment(Elf* elf, Visit visit) {
  std::size_t count = 0;
  if (::elf_getphdrnum(elf, &count) != 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (::gelf_getphdr(elf, static_cast<int>(i), &header)) visit(header);
  }
}

/// How many entries a section of a table has.
inline int entry_count(const GElf_Shdr& header) {
  return header.sh_entsize == 0 ? 0 : static_cast<int>(header.sh_size / header.sh_entsize);
}

}  // namespace ktstr::introspect::ctprof
