#include "engine/schedulers/dynamic_section.h"

#include <gelf.h>

#include <cstring>
#include <memory>
#include <span>

#include "engine/base/mapped_file.h"

namespace ktstr::engine {
namespace {

struct EndElf {
  void operator()(Elf* elf) const { ::elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

Error damaged_elf(std::string_view what) {
  return {ErrorCode::kCorrupt, std::string(what) + ": " + ::elf_errmsg(-1)};
}

Error not_a_program() {
  return {ErrorCode::kInvalidArgument, "not a 64-bit ELF program"};
}

Status read_interpreter(Elf* elf, std::span<const std::byte> file, DynamicSection& out) {
  std::size_t count = 0;
  if (::elf_getphdrnum(elf, &count) < 0) return damaged_elf("program headers");
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (!::gelf_getphdr(elf, static_cast<int>(i), &header)) return damaged_elf("program header");
    if (header.p_type != PT_INTERP) continue;
    if (header.p_offset > file.size() || header.p_filesz > file.size() - header.p_offset)
      return corrupted("the interpreter's name lies beyond the end of the file");
    const auto* text = reinterpret_cast<const char*>(file.data() + header.p_offset);
    out.interpreter.emplace(text, ::strnlen(text, header.p_filesz));
  }
  return ok();
}

Status read_entry(Elf* elf, std::size_t strings, const GElf_Dyn& entry, DynamicSection& out) {
  if (entry.d_tag != DT_NEEDED && entry.d_tag != DT_RPATH && entry.d_tag != DT_RUNPATH) return ok();
  const char* text = ::elf_strptr(elf, strings, entry.d_un.d_val);
  if (!text) return damaged_elf("dynamic section");
  if (entry.d_tag == DT_NEEDED) out.needed.emplace_back(text);
  if (entry.d_tag == DT_RPATH) out.rpath = split_path(text);
  if (entry.d_tag == DT_RUNPATH) out.runpath = split_path(text);
  return ok();
}

Status read_entries(Elf* elf, DynamicSection& out) {
  for (Elf_Scn* section = ::elf_nextscn(elf, nullptr); section; section = ::elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (!::gelf_getshdr(section, &header)) return damaged_elf("section header");
    if (header.sh_type != SHT_DYNAMIC) continue;
    Elf_Data* data = ::elf_getdata(section, nullptr);
    if (!data) return damaged_elf("dynamic section");
    GElf_Dyn entry;
    for (int i = 0; ::gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; ++i)
      KTSTR_TRY(read_entry(elf, header.sh_link, entry, out));
  }
  if (!out.runpath.empty()) out.rpath.clear();
  return ok();
}

Result<DynamicSection> read_from(std::span<const std::byte> bytes) {
  if (::elf_version(EV_CURRENT) == EV_NONE) return damaged_elf("libelf");
  auto* image = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));  // elf_memory only reads it
  const ElfHandle elf(bytes.empty() ? nullptr : ::elf_memory(image, bytes.size()));
  GElf_Ehdr header;
  if (!elf || ::elf_kind(elf.get()) != ELF_K_ELF || !::gelf_getehdr(elf.get(), &header))
    return not_a_program();
  const bool is_program = header.e_type == ET_EXEC || header.e_type == ET_DYN;
  if (!is_program || header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
    return not_a_program();
  DynamicSection out;
  out.machine = header.e_machine;
  KTSTR_TRY(read_interpreter(elf.get(), bytes, out));
  KTSTR_TRY(read_entries(elf.get(), out));
  return out;
}

}  // namespace

std::vector<std::string> split_path(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const auto end = list.find(':');
    if (end != 0) parts.emplace_back(list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return parts;
}

Result<DynamicSection> read_dynamic_section(const std::filesystem::path& file) {
  const auto mapped = KTSTR_TRY(MappedFile::open(file));
  return KTSTR_TRY(read_from(mapped.bytes()), file.string());
}

}  // namespace ktstr::engine
