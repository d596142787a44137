#include "vmm/qemu/pvh_kernel.h"

#include <elf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/base/io.h"
#include "engine/base/mapped_file.h"
#include "engine/base/units.h"
#include "vmm/kernel_relocation.h"
#include "vmm/linux_boot.h"
#include "vmm/qemu/pvh_entry_layout.h"

extern "C" const std::byte ktstr_pvh_entry_begin[];
extern "C" const std::byte ktstr_pvh_entry_kernel[];
extern "C" const std::byte ktstr_pvh_entry_end[];

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kLargePage = 2ULL << 20;
constexpr std::uint64_t kHighest = 2ULL << 30;  // initrd_addr_max of the boot protocol, and below every hole
/// SeaBIOS has its tables in the last 16 MiB of RAM (BUILD_MAX_HIGHTABLE), and buffers and itself below them,
/// from there downwards.
constexpr std::uint64_t kFirmwareBytes = 24ULL << 20;

static_assert(KernelElf::kLowestSegment == KTSTR_PVH_END);
constexpr std::size_t kPage = 4096;
constexpr std::uint32_t kPhys32Entry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY

/// What we write: ELF headers, note and entry, then the kernel's segments, each on a page of its own.
class Image {
 public:
  Image(const KernelElf& source, bool randomized, InitramfsPlace initramfs) : source_(source) {
    for (std::size_t end = kStartBytes; const auto& segment : source.segments) {
      places_.push_back(end);
      end += (segment.p_filesz + kPage - 1) / kPage * kPage;
    }
    write_headers();
    write_entry(randomized, initramfs);
  }

  Result<Fd> write(std::span<const KernelPiece> pieces) const {
    Fd fd(::memfd_create("ktstr-kernel", MFD_CLOEXEC));
    if (!fd) return system_error("create kernel image");
    KTSTR_TRY(write_at(fd.get(), start_, 0));
    for (const auto& piece : pieces)
      KTSTR_TRY(write_at(fd.get(), piece.bytes, places_[piece.segment] + piece.offset));
    return fd;
  }

 private:
  static constexpr std::size_t kEntryOffset = kPage;
  static constexpr std::size_t kEntryBytes = KTSTR_PVH_END - KTSTR_PVH_ENTRY;
  static constexpr std::size_t kStartBytes = kEntryOffset + kEntryBytes;

  struct Note {
    Elf64_Nhdr header{4, sizeof(std::uint64_t), kPhys32Entry};
    char name[4] = {'X', 'e', 'n', '\0'};
    std::uint64_t entry = KTSTR_PVH_ENTRY;
  };

  template <class T>
  void put(std::size_t offset, const T& value) {
    std::memcpy(start_.data() + offset, &value, sizeof(value));
  }

  void write_headers() {
    Elf64_Ehdr header = source_.header;
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
    add({PT_LOAD, PF_R | PF_X, kEntryOffset, KTSTR_PVH_ENTRY, KTSTR_PVH_ENTRY, kEntryBytes, kEntryBytes,
         kPage});
    for (std::size_t i = 0; i < places_.size(); ++i) {
      auto segment = source_.segments[i];
      segment.p_offset = places_[i];
      add(segment);
    }
  }

  void write_entry(bool randomized, InitramfsPlace initramfs) {
    std::memcpy(start_.data() + kEntryOffset, ktstr_pvh_entry_begin,
                static_cast<std::size_t>(ktstr_pvh_entry_end - ktstr_pvh_entry_begin));
    put(kEntryOffset + static_cast<std::size_t>(ktstr_pvh_entry_kernel - ktstr_pvh_entry_begin),
        source_.header.e_entry);
    auto params = elf_boot_params(randomized);
    params.hdr.ramdisk_image = static_cast<std::uint32_t>(initramfs.at.value());
    params.hdr.ramdisk_size = static_cast<std::uint32_t>(initramfs.bytes);
    put(kEntryOffset + (KTSTR_PVH_BOOT_PARAMS - KTSTR_PVH_ENTRY), params);
    const auto map = identity_map(GuestPhys(KTSTR_PVH_PML4));
    static_assert(KTSTR_PVH_PML4 + kIdentityMapBytes == KTSTR_PVH_END);
    std::memcpy(start_.data() + kEntryOffset + (KTSTR_PVH_PML4 - KTSTR_PVH_ENTRY), map.data(),
                map.size() * sizeof(map[0]));
  }

  const KernelElf& source_;
  std::vector<std::size_t> places_;  ///< file offset of each of the source's segments
  std::vector<std::byte> start_ = std::vector<std::byte>(kStartBytes);  ///< all before the first segment
};

Result<PvhKernel> make(const KernelElf& source, std::optional<std::uint64_t> slide, InitramfsRoom room) {
  const auto place =
      KTSTR_TRY(place_initramfs(room.bytes, GuestPhys(source.link_end()), room.first_bank_bytes));
  const Image image(source, slide.has_value(), place);
  if (!slide) return PvhKernel{KTSTR_TRY(image.write(pieces_of(source))), place};
  const auto slid = KTSTR_TRY(SlidKernel::create(source, *slide));
  return PvhKernel{KTSTR_TRY(image.write(slid.pieces())), place};
}

}  // namespace

Result<InitramfsPlace> place_initramfs(std::uint64_t bytes, GuestPhys kernel_end,
                                       std::uint64_t first_bank_bytes) {
  const auto end = std::min(first_bank_bytes, kHighest);
  const auto at = (kernel_end.value() + kLargePage - 1) / kLargePage * kLargePage;
  if (end < kFirmwareBytes || at > end - kFirmwareBytes || bytes > end - kFirmwareBytes - at)
    return invalid_argument(fmt::format("the guest's memory is too small for its initramfs ({})",
                                        format_byte_size(ByteSize{bytes})));
  return InitramfsPlace{GuestPhys(at), bytes};
}

Result<PvhKernel> make_pvh_kernel(const std::filesystem::path& elf, bool kaslr, InitramfsRoom room) {
  const auto file = KTSTR_TRY(MappedFile::open(elf));
  const auto source = KTSTR_TRY(KernelElf::read(file.bytes(), file.fd()));
  if (!kaslr) return make(source, std::nullopt, room);
  return make(source, KTSTR_TRY(random_slide(source)), room);
}

Result<PvhKernel> make_pvh_kernel(std::span<const std::byte> elf, std::optional<std::uint64_t> slide,
                                  InitramfsRoom room) {
  return make(KTSTR_TRY(KernelElf::read(elf)), slide, room);
}

}  // namespace ktstr::vmm::qemu
