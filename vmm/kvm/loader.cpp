#include "vmm/kvm/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/base/units.h"
#include "vmm/kernel_elf.h"
#include "vmm/kernel_relocation.h"
#include "vmm/kvm/layout.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHighestInitramfs = 0x7fffffff;  // initrd_addr_max of an ELF, which has no header
constexpr std::size_t kSetupHeader = 0x1f1;              // in a bzImage and in boot_params alike
constexpr std::size_t kSectorBytes = 512, kDefaultSetupSectors = 4;
constexpr std::uint32_t kHeaderMagic = 0x53726448;    // "HdrS"
constexpr std::uint16_t kProtocolWith64Bit = 0x020c;  // xloadflags
constexpr std::uint64_t kEntry64 = 0x200;             // behind the start of the protected-mode kernel
constexpr std::uint32_t kE820Ram = 1, kE820Reserved = 2;

Error too_small(const char* what, std::uint64_t bytes) {
  return invalid_argument(fmt::format("the guest's memory is too small for its {} ({})", what,
                                      format_byte_size(ByteSize{bytes})));
}

class Loader {
 public:
  Loader(std::span<const MemoryRegion> ram, const LinuxToLoad& what) : ram_(ram), memory_(ram), what_(what) {}

  Result<LinuxEntry> load() {
    const bool elf = what_.kernel.size() >= SELFMAG && std::memcmp(what_.kernel.data(), ELFMAG, SELFMAG) == 0;
    const auto entry = KTSTR_TRY(elf ? load_elf() : load_bzimage());
    KTSTR_TRY(load_initramfs());
    KTSTR_TRY(load_command_line());
    params_.acpi_rsdp_addr = what_.acpi_rsdp.value();
    fill_memory_map();
    const auto map = identity_map(kPageTables);
    KTSTR_TRY(put(kPageTables, std::as_bytes(std::span(map)), "page tables"));
    KTSTR_TRY(put(kGdt, std::as_bytes(std::span(kBootGdt)), "GDT"));
    KTSTR_TRY(put(kBootParams, std::as_bytes(std::span(&params_, 1)), "boot parameters"));
    return LinuxEntry{entry, kBootParams};
  }

 private:
  Status put(GuestPhys at, std::span<const std::byte> bytes, const char* what) {
    const auto place = memory_.slice(at, bytes.size());
    if (!place) return too_small(what, bytes.size());
    if (what_.write) return what_.write(at, bytes);
    std::copy(bytes.begin(), bytes.end(), place->begin());
    return ok();
  }

  Result<GuestPhys> load_elf() {
    const auto elf = KTSTR_TRY(KernelElf::read(what_.kernel, what_.kernel_fd));
    // The rest of a segment is zero, as all memory is that nobody has written.
    for (const auto& segment : elf.segments)
      if (!memory_.slice(GuestPhys(segment.p_paddr), segment.p_memsz))
        return too_small("kernel", elf.link_end());
    if (std::ranges::none_of(elf.segments, [&](const Elf64_Phdr& segment) {
          return elf.header.e_entry >= segment.p_paddr &&
                 elf.header.e_entry - segment.p_paddr < segment.p_filesz;
        }))
      return corrupted("kernel ELF: its entry is not in it");
    kernel_end_ = GuestPhys(elf.link_end());
    params_ = elf_boot_params(what_.kaslr);
    KTSTR_TRY(what_.kaslr ? put_slid(elf) : put_pieces(elf, pieces_of(elf)));
    return GuestPhys(elf.header.e_entry);
  }

  Status put_pieces(const KernelElf& elf, std::span<const KernelPiece> pieces) {
    for (const auto& piece : pieces)
      KTSTR_TRY(put(GuestPhys(elf.segments[piece.segment].p_paddr + piece.offset), piece.bytes, "kernel"));
    return ok();
  }

  Status put_slid(const KernelElf& elf) {
    const auto slide = KTSTR_TRY(random_slide(elf));
    const auto slid = KTSTR_TRY(SlidKernel::create(elf, slide));
    return put_pieces(elf, slid.pieces());
  }

  Result<GuestPhys> load_bzimage() {
    const auto image = what_.kernel;
    setup_header header{};
    if (image.size() < kSetupHeader + sizeof(header))
      return corrupted("kernel image: neither ELF nor bzImage");
    std::memcpy(&header, image.data() + kSetupHeader, sizeof(header));
    if (header.header != kHeaderMagic) return corrupted("kernel image: neither ELF nor bzImage");
    if (header.version < kProtocolWith64Bit || !(header.xloadflags & XLF_KERNEL_64))
      return Error{ErrorCode::kUnavailable, "this bzImage has no 64-bit entry"};
    const std::size_t sectors = header.setup_sects ? header.setup_sects : kDefaultSetupSectors;
    const std::size_t setup = (sectors + 1) * kSectorBytes;
    if (setup + kEntry64 >= image.size()) return corrupted("kernel image: truncated");
    const GuestPhys base(header.pref_address);
    if (base < kHighMemory || base >= kLowRamEnd)
      return corrupted("kernel image: wants an address where no kernel lies");
    const auto bytes = std::max<std::uint64_t>(header.init_size, image.size() - setup);
    if (!memory_.slice(base, bytes)) return too_small("kernel", bytes);
    KTSTR_TRY(put(base, image.subspan(setup), "kernel"));
    kernel_end_ = base + bytes;
    params_.hdr = header;
    params_.hdr.type_of_loader = 0xff;
    params_.hdr.loadflags |= LOADED_HIGH;
    return base + kEntry64;
  }

  /// As high as the kernel accepts, out of the way of what it unpacks.
  Status load_initramfs() {
    const auto bytes = what_.initramfs.size();
    if (bytes == 0) return ok();
    const auto low_end = ram_.front().base + ram_.front().bytes.size();
    const auto end = std::min(low_end.value(), kHighestInitramfs + 1) / kPage * kPage;
    const auto free = (kernel_end_.value() + kPage - 1) / kPage * kPage;
    if (free > end || bytes > end - free) return too_small("initramfs", bytes);
    const auto at = (end - bytes) / kPage * kPage;
    params_.hdr.ramdisk_image = static_cast<std::uint32_t>(at);
    params_.hdr.ramdisk_size = static_cast<std::uint32_t>(bytes);
    return put(GuestPhys(at), what_.initramfs, "initramfs");
  }

  Status load_command_line() {
    const auto& line = what_.command_line;
    static_assert(kMostCommandLine <= kCommandLineBytes);
    if (line.size() >= kMostCommandLine)
      return invalid_argument(fmt::format("a kernel command line of {} bytes is too long", line.size()));
    params_.hdr.cmd_line_ptr = static_cast<std::uint32_t>(kCommandLine.value());
    return put(kCommandLine, std::as_bytes(std::span(line.c_str(), line.size() + 1)), "command line");
  }

  void add_range(GuestPhys begin, GuestPhys end, std::uint32_t type) {
    params_.e820_table[params_.e820_entries++] = {begin.value(), end - begin, type};
  }

  /// RAM, but for the gap between 640 KiB and 1 MiB, where the ACPI tables are. Neighbours are joined: NUMA
  /// nodes are the SRAT's matter.
  void fill_memory_map() {
    add_range(GuestPhys(), kLowRamGap, kE820Ram);
    add_range(kLowRamGap, kHighMemory, kE820Reserved);
    GuestPhys low, high;
    for (const auto& region : ram_) (region.base < kHighRam ? low : high) = region.base + region.bytes.size();
    add_range(kHighMemory, low, kE820Ram);
    if (high > kHighRam) add_range(kHighRam, high, kE820Ram);
  }

  std::span<const MemoryRegion> ram_;
  GuestMemory memory_;
  const LinuxToLoad& what_;
  boot_params params_{};
  GuestPhys kernel_end_;  ///< behind its memory, where it lies before it moves itself
};

}  // namespace

Result<LinuxEntry> load_linux(std::span<const MemoryRegion> ram, const LinuxToLoad& what) {
  return Loader(ram, what).load();
}

}  // namespace ktstr::vmm::kvm
