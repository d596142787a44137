#include "introspect/ctprof/jemalloc/tls_reach.h"

#include <bit>

#include "introspect/ctprof/jemalloc/elf_handles.h"

namespace ktstr::introspect::ctprof {
namespace {

/// Whether it is a program, linked to be the first module: by position, or as PIE.
bool is_executable(Elf* elf) {
  GElf_Ehdr header;
  if (!::gelf_getehdr(elf, &header)) return false;
  if (header.e_type == ET_EXEC) return true;
  return any_section(elf, SHT_DYNAMIC, [](Elf_Scn* section, const GElf_Shdr& table) {
    Elf_Data* data = ::elf_getdata(section, nullptr);
    for (int i = 0; data && i < entry_count(table); ++i) {
      GElf_Dyn entry;
      if (::gelf_getdyn(data, i, &entry) && entry.d_tag == DT_FLAGS_1 && (entry.d_un.d_val & DF_1_PIE) != 0)
        return true;
    }
    return false;
  });
}

/// The first module's block ends at the thread pointer, rounded up to its alignment (glibc's csu/libc-tls.c
/// and elf/dl-tls.c, musl's __init_tls.c). For a block that does not begin aligned they differ.
std::optional<TlsReach> reach_in_executable(const GElf_Phdr& tls, std::uint64_t offset) {
  const std::uint64_t align = tls.p_align == 0 ? 1 : tls.p_align;
  if (!std::has_single_bit(align) || tls.p_vaddr % align != 0) return std::nullopt;
  const std::uint64_t block = (tls.p_memsz + align - 1) & ~(align - 1);
  const auto from_pointer = static_cast<std::int64_t>(offset - block);
  return is_static_tls_offset(from_pointer) ? std::optional<TlsReach>(FromThreadPointer{from_pointer})
                                            : std::nullopt;
}

/// The segment that the variable lies in.
std::optional<GElf_Phdr> tls_segment_of(Elf* elf, const TlsVariable& variable) {
  std::optional<GElf_Phdr> found;
  for_each_segment(elf, [&](const GElf_Phdr& segment) {
    if (segment.p_type == PT_TLS && variable.offset <= segment.p_memsz &&
        variable.size <= segment.p_memsz - variable.offset)
      found = segment;
  });
  return found;
}

/// The offset that the relocation's symbol and addend make; nothing for a symbol of another module.
std::optional<std::uint64_t> target(Elf* elf, const GElf_Shdr& table, const GElf_Rela& relocation) {
  const auto addend = static_cast<std::uint64_t>(relocation.r_addend);
  const auto index = GELF_R_SYM(relocation.r_info);
  if (index == 0) return addend;
  Elf_Data* symbols = ::elf_getdata(::elf_getscn(elf, table.sh_link), nullptr);
  GElf_Sym symbol;
  if (!symbols || !::gelf_getsym(symbols, static_cast<int>(index), &symbol) || symbol.st_shndx == SHN_UNDEF)
    return std::nullopt;
  return symbol.st_value + addend;
}

std::optional<TlsReach> reach_in_shared_object(Elf* elf, std::uint64_t offset) {
  std::optional<TlsReach> reach;
  any_section(elf, SHT_RELA, [&](Elf_Scn* section, const GElf_Shdr& table) {
    Elf_Data* data = (table.sh_flags & SHF_ALLOC) != 0 ? ::elf_getdata(section, nullptr) : nullptr;
    for (int i = 0; data && i < entry_count(table) && !reach; ++i) {
      GElf_Rela relocation;
      if (::gelf_getrela(data, i, &relocation) && GELF_R_TYPE(relocation.r_info) == R_X86_64_TPOFF64 &&
          target(elf, table, relocation) == offset)
        reach = OffsetSlot{relocation.r_offset};
    }
    return reach.has_value();
  });
  return reach;
}

}  // namespace

bool is_static_tls_offset(std::int64_t offset) {
  constexpr std::int64_t kFarthest = std::int64_t{1} << 30;
  return offset < 0 && offset > -kFarthest;
}

std::optional<TlsReach> find_tls_reach(Elf* elf, const TlsVariable& variable) {
  const auto segment = tls_segment_of(elf, variable);
  if (!segment) return std::nullopt;
  return is_executable(elf) ? reach_in_executable(*segment, variable.offset)
                            : reach_in_shared_object(elf, variable.offset);
}

}  // namespace ktstr::introspect::ctprof
