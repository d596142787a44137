#include "introspect/ctprof/jemalloc/jemalloc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "introspect/ctprof/jemalloc/elf_handles.h"

namespace ktstr::introspect::ctprof {
namespace {

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
