#include "vmm/kernel_elf.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <string>

namespace ktstr::vmm {
namespace {

constexpr std::uint64_t kKernelMap = 0xffffffff80000000;  // __START_KERNEL_map
constexpr std::uint64_t kKernelImageSize = 1ULL << 30;    // KERNEL_IMAGE_SIZE with RANDOMIZE_BASE
constexpr std::size_t kMaxSegments = 16;

Error corrupt(const char* what) {
  return {ErrorCode::kCorrupt, std::string("kernel ELF: ") + what};
}

/// Whether [offset, offset + size) lies in the file.
bool in_file(const KernelElf& source, std::uint64_t offset, std::uint64_t size) {
  return size <= source.file.size() && offset <= source.file.size() - size;
}

template <class T>
Result<std::vector<T>> read_table(const KernelElf& source, std::uint64_t offset, std::size_t count,
                                  std::size_t entry) {
  if (entry != sizeof(T) && count > 0) return corrupt("a table of entries of unknown size");
  if (!in_file(source, offset, count * sizeof(T))) return corrupt("a table lies outside the file");
  std::vector<T> table(count);
  const auto bytes = std::as_writable_bytes(std::span(table));
  std::copy_n(source.file.begin() + static_cast<std::ptrdiff_t>(offset), bytes.size(), bytes.begin());
  return table;
}

Status add_segment(KernelElf& source, const Elf64_Phdr& segment) {
  if (!in_file(source, segment.p_offset, segment.p_filesz) || segment.p_filesz > segment.p_memsz)
    return corrupt("a segment lies outside the file");
  if (segment.p_paddr < KernelElf::kLowestSegment || segment.p_memsz > kKernelImageSize ||
      segment.p_paddr > kKernelImageSize - segment.p_memsz)
    return corrupt("a segment lies outside the kernel's range");
  if (source.segments.size() == kMaxSegments) return corrupt("too many segments");
  source.segments.push_back(segment);
  return ok();
}

std::vector<std::int32_t> words_behind(const KernelElf& source) {
  std::vector<std::int32_t> words((source.file.size() - source.end) / sizeof(std::int32_t));
  const auto bytes = std::as_writable_bytes(std::span(words));
  std::copy_n(source.file.begin() + static_cast<std::ptrdiff_t>(source.end), bytes.size(), bytes.begin());
  return words;
}

/// Adds `slide` to the T at each address.
template <class T>
Status relocate(const LoadedBytes& loaded, std::span<const std::int32_t> addresses, T slide) {
  for (const auto address : addresses) {
    const auto link = static_cast<std::uint64_t>(std::int64_t{address});
    auto* place = loaded(link - kKernelMap, sizeof(T));
    if (!place) return corrupt("a relocation lies outside the kernel");
    T value;
    std::memcpy(&value, place, sizeof(value));
    value += slide;
    std::memcpy(place, &value, sizeof(value));
  }
  return ok();
}

}  // namespace

Result<KernelElf> KernelElf::read(std::span<const std::byte> file) {
  KernelElf source;
  source.file = file;
  if (file.size() < sizeof(Elf64_Ehdr) || std::memcmp(file.data(), ELFMAG, SELFMAG) != 0)
    return corrupt("no ELF");
  std::memcpy(&source.header, file.data(), sizeof(Elf64_Ehdr));
  const auto& header = source.header;
  if (header.e_machine != EM_X86_64) return corrupt("not for x86-64");
  for (const auto& segment :
       KTSTR_TRY(read_table<Elf64_Phdr>(source, header.e_phoff, header.e_phnum, header.e_phentsize))) {
    if (segment.p_type == PT_LOAD) KTSTR_TRY_STATUS(add_segment(source, segment));
    source.end = std::max<std::uint64_t>(source.end, segment.p_offset + segment.p_filesz);
  }
  if (source.segments.empty()) return corrupt("nothing to load");
  source.end = std::max<std::uint64_t>(source.end, header.e_shoff + header.e_shnum * sizeof(Elf64_Shdr));
  for (const auto& section :
       KTSTR_TRY(read_table<Elf64_Shdr>(source, header.e_shoff, header.e_shnum, header.e_shentsize)))
    if (section.sh_type != SHT_NOBITS)
      source.end = std::max<std::uint64_t>(source.end, section.sh_offset + section.sh_size);
  if (source.end > file.size()) return corrupt("a section lies outside the file");
  return source;
}

std::uint64_t KernelElf::link_end() const {
  std::uint64_t last = 0;
  for (const auto& segment : segments)
    last = std::max<std::uint64_t>(last, segment.p_paddr + segment.p_memsz);
  return last;
}

std::optional<KernelRelocations> parse_relocations(std::span<const std::int32_t> words) {
  std::vector<std::span<const std::int32_t>> lists;
  if (words.empty() || words.front() != 0) return std::nullopt;
  for (auto rest = words; !rest.empty();) {
    const auto end = std::find(rest.begin() + 1, rest.end(), 0);
    const auto length = static_cast<std::size_t>(end - rest.begin());
    lists.push_back(rest.subspan(1, length - 1));
    rest = rest.subspan(length);
  }
  if (lists.size() == 2) return KernelRelocations{lists[0], {}, lists[1]};
  if (lists.size() == 3) return KernelRelocations{lists[0], lists[1], lists[2]};
  return std::nullopt;
}

std::uint64_t largest_slide(std::uint64_t link_end) {
  if (link_end >= kKernelImageSize) return 0;
  return (kKernelImageSize - link_end) / kSlideAlignment * kSlideAlignment;
}

Result<std::uint64_t> random_slide(const KernelElf& kernel) {
  const auto largest = largest_slide(kernel.link_end());
  if (largest == 0) return corrupt("no room to randomize its address");
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof(random), 0) != sizeof(random)) return system_error("getrandom");
  return (1 + random % (largest / kSlideAlignment)) * kSlideAlignment;
}

Status relocate_kernel(const KernelElf& kernel, std::uint64_t slide, const LoadedBytes& loaded) {
  const auto words = words_behind(kernel);
  const auto relocations = parse_relocations(words);
  if (!relocations)
    return Error{ErrorCode::kUnavailable, "this kernel has no relocations to randomize its address with"};
  const auto slide32 = static_cast<std::uint32_t>(slide);
  KTSTR_TRY_STATUS(relocate<std::uint64_t>(loaded, relocations->add64, slide));
  KTSTR_TRY_STATUS(relocate<std::uint32_t>(loaded, relocations->subtract32, -slide32));
  return relocate<std::uint32_t>(loaded, relocations->add32, slide32);
}

}  // namespace ktstr::vmm
