#include "vmm/kernel_elf.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace ktstr::vmm {
namespace {

constexpr std::size_t kMaxSegments = 16;

Error bad_elf(const char* what) {
  return corrupted(std::string("kernel ELF: ") + what);
}

/// Whether [offset, offset + size) lies in the file.
bool in_file(const KernelElf& source, std::uint64_t offset, std::uint64_t size) {
  return size <= source.file.size() && offset <= source.file.size() - size;
}

template <class T>
Result<std::vector<T>> read_table(const KernelElf& source, std::uint64_t offset, std::size_t count,
                                  std::size_t entry) {
  if (entry != sizeof(T) && count > 0) return bad_elf("a table of entries of unknown size");
  if (!in_file(source, offset, count * sizeof(T))) return bad_elf("a table lies outside the file");
  std::vector<T> table(count);
  const auto bytes = std::as_writable_bytes(std::span(table));
  std::copy_n(source.file.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
  return table;
}

Status add_segment(KernelElf& source, const Elf64_Phdr& segment) {
  if (!in_file(source, segment.p_offset, segment.p_filesz) || segment.p_filesz > segment.p_memsz)
    return bad_elf("a segment lies outside the file");
  if (segment.p_paddr < KernelElf::kLowestSegment || segment.p_memsz > kKernelImageSize ||
      segment.p_paddr > kKernelImageSize - segment.p_memsz)
    return bad_elf("a segment lies outside the kernel's range");
  if (source.segments.size() == kMaxSegments) return bad_elf("too many segments");
  source.segments.push_back(segment);
  return ok();
}

}  // namespace

Result<KernelElf> KernelElf::read(std::span<const std::byte> file, int fd) {
  KernelElf source;
  source.file = file;
  source.fd = fd;
  if (file.size() < sizeof(Elf64_Ehdr) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return bad_elf("no ELF");
  std::memcpy(&source.header, file.data(), sizeof(Elf64_Ehdr));
  const auto& header = source.header;
  if (header.e_machine != EM_X86_64) return bad_elf("not for x86-64");
  for (const auto& segment :
       KTSTR_TRY(read_table<Elf64_Phdr>(source, header.e_phoff, header.e_phnum, header.e_phentsize))) {
    if (segment.p_type == PT_LOAD) KTSTR_TRY(add_segment(source, segment));
    source.end = std::max<std::uint64_t>(source.end, segment.p_offset + segment.p_filesz);
  }
  if (source.segments.empty()) return bad_elf("nothing to load");
  source.end = std::max<std::uint64_t>(source.end, header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr));
  for (const auto& section :
       KTSTR_TRY(read_table<Elf64_Shdr>(source, header.e_shoff, header.e_shnum, header.e_shentsize)))
    if (section.sh_type != SHT_NOBITS)
      source.end = std::max<std::uint64_t>(source.end, section.sh_offset + section.sh_size);
  if (source.end > file.size()) return bad_elf("a section lies outside the file");
  return source;
}

std::uint64_t KernelElf::link_end() const {
  std::uint64_t last = 0;
  for (const auto& segment : segments)
    last = std::max<std::uint64_t>(last, segment.p_paddr + segment.p_memsz);
  return last;
}

}  // namespace ktstr::vmm
