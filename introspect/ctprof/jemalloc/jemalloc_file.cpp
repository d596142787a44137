#include "introspect/ctprof/jemalloc/jemalloc_file.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <unistd.h>

#include <bit>
#include <memory>
#include <string_view>

namespace ktstr::introspect::ctprof {
namespace {

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
int entry_count(const GElf_Shdr& header) {
  return header.sh_entsize == 0 ? 0 : static_cast<int>(header.sh_size / header.sh_entsize);
}

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

bool has_name(std::string_view name, std::string_view plain) {
  return name.ends_with(plain) &&
         (name.size() == plain.size() || name[name.size() - plain.size() - 1] == '_');
}

/// jemalloc's tsd_tls, under whatever prefix it was built with (je_tsd_tls, _rjem_je_tsd_tls).
std::optional<TlsVariable> as_tsd_variable(const GElf_Sym& symbol, const char* name) {
  if (GELF_ST_TYPE(symbol.st_info) != STT_TLS || symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 ||
      !name || !has_name(name, "tsd_tls"))
    return std::nullopt;
  return TlsVariable{symbol.st_value, symbol.st_size};
}

/// Part of every jemalloc's interface, and of nothing else's.
bool is_control_function(const GElf_Sym& symbol, const char* name) {
  return GELF_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF && name &&
         std::string_view(name).ends_with("mallctlbymib");
}

/// Calls visit(symbol, name) for the symbols of that kind of table until it returns true; whether it did.
template <class Visit>
bool any_symbol(Elf* elf, std::uint32_t table_type, Visit visit) {
  return any_section(elf, table_type, [&](Elf_Scn* section, const GElf_Shdr& table) {
    Elf_Data* data = ::elf_getdata(section, nullptr);
    for (int i = 0; data && i < entry_count(table); ++i) {
      GElf_Sym symbol;
      if (::gelf_getsym(data, i, &symbol) && visit(symbol, ::elf_strptr(elf, table.sh_link, symbol.st_name)))
        return true;
    }
    return false;
  });
}

/// Looks at the symbols that the file itself has.
bool holds_jemalloc(Elf* elf) {
  const auto tells = [](const GElf_Sym& symbol, const char* name) {
    return as_tsd_variable(symbol, name).has_value() || is_control_function(symbol, name);
  };
  return any_symbol(elf, SHT_DYNSYM, tells) || any_symbol(elf, SHT_SYMTAB, tells);
}

ProbeResult<void> check_kind(Elf* elf) {
  GElf_Ehdr header;
  if (!::gelf_getehdr(elf, &header)) return tl::unexpected(ProbeFailure::kElf);
  if (header.e_machine != EM_X86_64 || header.e_ident[EI_CLASS] != ELFCLASS64)
    return tl::unexpected(ProbeFailure::kArchitecture);
  return {};
}

/// The file together with its debug files.
class Module {
 public:
  [[nodiscard]] static ProbeResult<Module> open(const Fd& file, const std::string& path) {
    Module module;
    module.dwfl_.reset(::dwfl_begin(&callbacks()));
    const int copy = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 0);
    if (copy < 0 || !module.dwfl_) return close_and_fail(copy);
    ::dwfl_report_begin(module.dwfl_.get());
    module.module_ = ::dwfl_report_offline(module.dwfl_.get(), path.c_str(), path.c_str(), copy);
    if (!module.module_) return close_and_fail(copy);
    ::dwfl_report_end(module.dwfl_.get(), nullptr, nullptr);
    return module;
  }

  [[nodiscard]] std::optional<TlsVariable> tsd_variable() const {
    const int count = ::dwfl_module_getsymtab(module_);
    for (int i = 1; i < count; ++i) {
      GElf_Sym symbol;
      GElf_Addr address = 0;
      const char* name = ::dwfl_module_getsym_info(module_, i, &symbol, &address, nullptr, nullptr, nullptr);
      if (const auto variable = as_tsd_variable(symbol, name)) return variable;
    }
    return std::nullopt;
  }
  [[nodiscard]] Dwarf* dwarf() const {
    Dwarf_Addr bias = 0;
    return ::dwfl_module_getdwarf(module_, &bias);
  }

 private:
  static const Dwfl_Callbacks& callbacks() {
    static const Dwfl_Callbacks kCallbacks{::dwfl_build_id_find_elf, ::dwfl_standard_find_debuginfo,
                                           ::dwfl_offline_section_address, nullptr};
    return kCallbacks;
  }
  static tl::unexpected<ProbeFailure> close_and_fail(int fd) {
    if (fd >= 0) ::close(fd);
    return tl::unexpected(ProbeFailure::kElf);
  }

  DwflHandle dwfl_;
  Dwfl_Module* module_ = nullptr;  ///< belongs to dwfl_
};

std::vector<CodeSegment> code_segments(Elf* elf) {
  std::vector<CodeSegment> code;
  for_each_segment(elf, [&](const GElf_Phdr& header) {
    if (header.p_type == PT_LOAD && (header.p_flags & PF_X) != 0)
      code.push_back({header.p_offset, header.p_filesz, header.p_vaddr});
  });
  return code;
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

std::optional<std::uint64_t> JemallocFile::link_address(std::uint64_t file_offset) const {
  constexpr std::uint64_t kPage = 4096;  // a mapping begins at the page that a segment begins in
  for (const auto& segment : code)
    if (file_offset + kPage > segment.file_offset && file_offset < segment.file_offset + segment.file_size)
      return segment.address + (file_offset - segment.file_offset);
  return std::nullopt;
}

ProbeResult<JemallocFile> examine(const Fd& file, const std::string& path) {
  ::elf_version(EV_CURRENT);
  const ElfHandle elf(::elf_begin(file.get(), ELF_C_READ_MMAP, nullptr));
  if (!elf) return tl::unexpected(ProbeFailure::kElf);
  if (::elf_kind(elf.get()) != ELF_K_ELF || !holds_jemalloc(elf.get()))
    return tl::unexpected(ProbeFailure::kNotJemalloc);
  if (const auto kind = check_kind(elf.get()); !kind) return tl::unexpected(kind.error());
  const auto module = Module::open(file, path);
  if (!module) return tl::unexpected(module.error());
  const auto variable = module->tsd_variable();
  Dwarf* const dwarf = module->dwarf();
  if (!variable || !dwarf) return tl::unexpected(ProbeFailure::kDwarfMissing);
  const auto reach = find_tls_reach(elf.get(), *variable);
  if (!reach) return tl::unexpected(ProbeFailure::kTls);
  const auto layout = find_tsd_layout(dwarf, variable->size);
  if (!layout) return tl::unexpected(ProbeFailure::kDwarf);
  return JemallocFile{*reach, *layout, code_segments(elf.get())};
}

}  // namespace ktstr::introspect::ctprof
