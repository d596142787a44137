#include "vmm/qemu/kaslr_kernel.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/mapped_file.h"
#include "vmm/qemu/pvh_entry_layout.h"

extern "C" const std::byte ktstr_pvh_entry_begin[];
extern "C" const std::byte ktstr_pvh_entry_kernel[];
extern "C" const std::byte ktstr_pvh_entry_end[];

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kKernelMap = 0xffffffff80000000;  // __START_KERNEL_map
constexpr std::uint64_t kKernelImageSize = 1ULL << 30;    // KERNEL_IMAGE_SIZE with RANDOMIZE_BASE
constexpr std::size_t kMaxSegments = 16;
constexpr std::size_t kPage = 4096;
constexpr std::uint32_t kPhys32Entry = 18;       // XEN_ELFNOTE_PHYS32_ENTRY
constexpr std::uint16_t kBootProtocol = 0x020f;  // the version of the header that we fill in
constexpr std::uint8_t kUnknownLoader = 0xff;
constexpr std::uint64_t kLargePage = 0x83, kTable = 0x03;  // present, writable (and PS)

Error corrupt(const char* what) {
  return {ErrorCode::kCorrupt, std::string("kernel ELF: ") + what};
}

struct Source {
  Elf64_Ehdr header{};
  std::vector<Elf64_Phdr> segments;  ///< PT_LOAD
  std::span<const std::byte> file;
  std::uint64_t end = 0;  ///< where the ELF's own bytes end and the relocations begin
};

/// Whether [offset, offset + size) lies in the file.
bool in_file(const Source& source, std::uint64_t offset, std::uint64_t size) {
  return size <= source.file.size() && offset <= source.file.size() - size;
}

template <class T>
Result<std::vector<T>> read_table(const Source& source, std::uint64_t offset, std::size_t count,
                                  std::size_t entry) {
  if (entry != sizeof(T) && count > 0) return corrupt("a table of entries of unknown size");
  if (!in_file(source, offset, count * sizeof(T))) return corrupt("a table lies outside the file");
  std::vector<T> table(count);
  std::memcpy(table.data(), source.file.data() + offset, count * sizeof(T));
  return table;
}

Status add_segment(Source& source, const Elf64_Phdr& segment) {
  if (!in_file(source, segment.p_offset, segment.p_filesz) || segment.p_filesz > segment.p_memsz)
    return corrupt("a segment lies outside the file");
  if (segment.p_paddr < KTSTR_PVH_END || segment.p_memsz > kKernelImageSize ||
      segment.p_paddr > kKernelImageSize - segment.p_memsz)
    return corrupt("a segment lies outside the kernel's range");
  if (source.segments.size() == kMaxSegments) return corrupt("too many segments");
  source.segments.push_back(segment);
  return ok();
}

Result<Source> read_source(std::span<const std::byte> file) {
  Source source;
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

std::uint64_t link_end(const Source& source) {
  std::uint64_t end = 0;
  for (const auto& segment : source.segments)
    end = std::max<std::uint64_t>(end, segment.p_paddr + segment.p_memsz);
  return end;
}

/// What we write: ELF headers, note and entry, then the kernel's segments, each on a page of its own.
class Image {
 public:
  Image() = default;
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  ~Image() {
    if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  }

  Status create(const Source& source) {
    std::size_t size = kEntryOffset + (KTSTR_PVH_END - KTSTR_PVH_ENTRY);
    for (const auto& segment : source.segments) {
      places_.push_back(size);
      size += (segment.p_filesz + kPage - 1) / kPage * kPage;
    }
    fd_ = Fd(::memfd_create("ktstr-kernel", MFD_CLOEXEC));
    if (!fd_ || ::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
      return system_error("create kernel image");
    void* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0);
    if (base == MAP_FAILED) return system_error("map kernel image");
    bytes_ = {static_cast<std::byte*>(base), size};
    return ok();
  }

  void fill(const Source& source) {
    write_headers(source);
    write_entry(source.header.e_entry);
    for (std::size_t i = 0; i < places_.size(); ++i)
      std::memcpy(bytes_.data() + places_[i], source.file.data() + source.segments[i].p_offset,
                  source.segments[i].p_filesz);
  }

  /// The bytes loaded at a physical address; nullptr outside the kernel.
  std::byte* at(const Source& source, std::uint64_t address, std::size_t size) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const auto& segment = source.segments[i];
      if (address >= segment.p_paddr && address - segment.p_paddr <= segment.p_filesz &&
          size <= segment.p_filesz - (address - segment.p_paddr))
        return bytes_.data() + places_[i] + (address - segment.p_paddr);
    }
    return nullptr;
  }

  Fd take() { return std::move(fd_); }

 private:
  static constexpr std::size_t kEntryOffset = kPage;

  struct Note {
    Elf64_Nhdr header{4, sizeof(std::uint64_t), kPhys32Entry};
    char name[4] = {'X', 'e', 'n', '\0'};
    std::uint64_t entry = KTSTR_PVH_ENTRY;
  };

  template <class T>
  void put(std::size_t offset, const T& value) {
    std::memcpy(bytes_.data() + offset, &value, sizeof(value));
  }

  void write_headers(const Source& source) {
    Elf64_Ehdr header = source.header;
    header.e_phoff = sizeof(Elf64_Ehdr);
    header.e_phnum = static_cast<Elf64_Half>(places_.size() + 2);
    header.e_shoff = header.e_shnum = header.e_shstrndx = 0;
    header.e_entry = KTSTR_PVH_ENTRY;
    put(0, header);
    const auto note_offset = header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr);
    put(note_offset, Note{});
    std::size_t at = header.e_phoff;
    const auto add = [&](const Elf64_Phdr& segment) {
      put(at, segment);
      at += sizeof(segment);
    };
    add({PT_NOTE, PF_R, note_offset, 0, 0, sizeof(Note), sizeof(Note), 4});
    constexpr std::size_t kEntryBytes = KTSTR_PVH_END - KTSTR_PVH_ENTRY;
    add({PT_LOAD, PF_R | PF_X, kEntryOffset, KTSTR_PVH_ENTRY, KTSTR_PVH_ENTRY, kEntryBytes, kEntryBytes,
         kPage});
    for (std::size_t i = 0; i < places_.size(); ++i) {
      auto segment = source.segments[i];
      segment.p_offset = places_[i];
      add(segment);
    }
  }

  void write_entry(std::uint64_t kernel_entry) {
    std::memcpy(bytes_.data() + kEntryOffset, ktstr_pvh_entry_begin,
                static_cast<std::size_t>(ktstr_pvh_entry_end - ktstr_pvh_entry_begin));
    put(kEntryOffset + static_cast<std::size_t>(ktstr_pvh_entry_kernel - ktstr_pvh_entry_begin),
        kernel_entry);
    boot_params params{};
    params.hdr.boot_flag = 0xaa55;
    params.hdr.header = 0x53726448;  // "HdrS"
    params.hdr.version = kBootProtocol;
    params.hdr.type_of_loader = kUnknownLoader;
    params.hdr.loadflags = LOADED_HIGH | KASLR_FLAG;
    put(kEntryOffset + (KTSTR_PVH_BOOT_PARAMS - KTSTR_PVH_ENTRY), params);
    write_identity_map();
  }

  void write_identity_map() {
    constexpr std::size_t kEntries = 512;
    constexpr std::uint64_t kPdpt = KTSTR_PVH_PML4 + kPage, kDirectories = kPdpt + kPage;
    const auto put_entry = [&](std::uint64_t table, std::size_t index, std::uint64_t value) {
      put(kEntryOffset + (table - KTSTR_PVH_ENTRY) + index * sizeof(value), value);
    };
    put_entry(KTSTR_PVH_PML4, 0, kPdpt | kTable);
    for (std::uint64_t gib = 0; gib < 4; ++gib) put_entry(kPdpt, gib, (kDirectories + gib * kPage) | kTable);
    for (std::uint64_t page = 0; page < 4 * kEntries; ++page)
      put_entry(kDirectories, page, page * kSlideAlignment | kLargePage);
  }

  Fd fd_;
  std::span<std::byte> bytes_;
  std::vector<std::size_t> places_;  ///< file offset of each of the source's segments
};

/// Adds `slide` to the T at each address.
template <class T>
Status relocate(Image& image, const Source& source, std::span<const std::int32_t> addresses, T slide) {
  for (const auto address : addresses) {
    const auto link = static_cast<std::uint64_t>(std::int64_t{address});
    auto* place = image.at(source, link - kKernelMap, sizeof(T));
    if (!place) return corrupt("a relocation lies outside the kernel");
    T value;
    std::memcpy(&value, place, sizeof(value));
    value += slide;
    std::memcpy(place, &value, sizeof(value));
  }
  return ok();
}

std::vector<std::int32_t> words_behind(const Source& source) {
  std::vector<std::int32_t> words((source.file.size() - source.end) / sizeof(std::int32_t));
  std::memcpy(words.data(), source.file.data() + source.end, words.size() * sizeof(std::int32_t));
  return words;
}

std::uint64_t random_slide(std::uint64_t largest) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof(random), 0) != sizeof(random)) random = 0;
  return (1 + random % (largest / kSlideAlignment)) * kSlideAlignment;
}

Result<Fd> make(const Source& source, std::uint64_t slide) {
  const auto words = words_behind(source);
  const auto relocations = parse_relocations(words);
  if (!relocations)
    return Error{ErrorCode::kUnavailable, "this kernel has no relocations to randomize its address with"};
  Image image;
  KTSTR_TRY_STATUS(image.create(source));
  image.fill(source);
  const auto slide32 = static_cast<std::uint32_t>(slide);
  KTSTR_TRY_STATUS(relocate<std::uint64_t>(image, source, relocations->add64, slide));
  KTSTR_TRY_STATUS(relocate<std::uint32_t>(image, source, relocations->subtract32, -slide32));
  KTSTR_TRY_STATUS(relocate<std::uint32_t>(image, source, relocations->add32, slide32));
  return image.take();
}

}  // namespace

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

Result<Fd> make_kaslr_kernel(const std::filesystem::path& elf) {
  const auto file = KTSTR_TRY(MappedFile::open(elf));
  const auto source = KTSTR_TRY(read_source(file.bytes()));
  const auto largest = largest_slide(link_end(source));
  if (largest == 0) return corrupt("no room to randomize its address");
  return make(source, random_slide(largest));
}

Result<Fd> make_kaslr_kernel(std::span<const std::byte> elf, std::uint64_t slide) {
  return make(KTSTR_TRY(read_source(elf)), slide);
}

}  // namespace ktstr::vmm::qemu
