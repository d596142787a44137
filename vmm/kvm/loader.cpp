#include "vmm/kvm/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "engine/base/units.h"
#include "vmm/kernel_elf.h"
#include "vmm/kvm/layout.h"
#include "vmm/large_buffer.h"
#include "vmm/linux_boot.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHighestInitramfs = 0x7fffffff;  // initrd_addr_max of an ELF, which has no header
constexpr std::size_t kSetupHeader = 0x1f1;              // in a bzImage and in boot_params alike
constexpr std::size_t kSectorBytes = 512, kDefaultSetupSectors = 4;
constexpr std::size_t kMostCommandLine = 2048;  // COMMAND_LINE_SIZE of x86: the kernel cuts what is longer
constexpr std::uint32_t kHeaderMagic = 0x53726448;    // "HdrS"
constexpr std::uint16_t kProtocolWith64Bit = 0x020c;  // xloadflags
constexpr std::uint64_t kEntry64 = 0x200;             // behind the start of the protected-mode kernel
constexpr std::uint32_t kE820Ram = 1, kE820Reserved = 2;

Error too_small(const char* what, std::uint64_t bytes) {
  return {ErrorCode::kInvalidArgument, fmt::format("the guest's memory is too small for its {} ({})", what,
                                                   format_byte_size(ByteSize{bytes}))};
}

class Loader {
 public:
  Loader(std::span<const MemoryRegion> ram, const LinuxToLoad& what) : ram_(ram), memory_(ram), what_(what) {}

  Result<LinuxEntry> load() {
    const bool elf = what_.kernel.size() >= SELFMAG && std::memcmp(what_.kernel.data(), ELFMAG, SELFMAG) == 0;
    const auto entry = KTSTR_TRY(elf ? load_elf() : load_bzimage());
    KTSTR_TRY_STATUS(load_initramfs());
    KTSTR_TRY_STATUS(load_command_line());
    params_.acpi_rsdp_addr = what_.acpi_rsdp.value();
    fill_memory_map();
    const auto map = identity_map(kPageTables);
    KTSTR_TRY_STATUS(put(kPageTables, std::as_bytes(std::span(map)), "page tables"));
    KTSTR_TRY_STATUS(put(kGdt, std::as_bytes(std::span(kBootGdt)), "GDT"));
    KTSTR_TRY_STATUS(put(kBootParams, std::as_bytes(std::span(&params_, 1)), "boot parameters"));
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
    const auto elf = KTSTR_TRY(KernelElf::read(what_.kernel));
    // The rest of a segment is zero, as all memory is that nobody has written.
    for (const auto& segment : elf.segments)
      if (!memory_.slice(GuestPhys(segment.p_paddr), segment.p_memsz))
        return too_small("kernel", elf.link_end());
    if (!segment_of(elf, elf.header.e_entry, 1))
      return Error{ErrorCode::kCorrupt, "kernel ELF: its entry is not in it"};
    kernel_end_ = GuestPhys(elf.link_end());
    params_ = elf_boot_params(what_.kaslr);
    if (what_.kaslr) {
      KTSTR_TRY_STATUS(put_relocated(elf));
    } else {
      for (const auto& segment : elf.segments)
        KTSTR_TRY_STATUS(
            put(GuestPhys(segment.p_paddr), elf.file.subspan(segment.p_offset, segment.p_filesz), "kernel"));
    }
    return GuestPhys(elf.header.e_entry);
  }

  /// Relocated in a copy, since its segments may be put only as a whole.
  Status put_relocated(const KernelElf& elf) {
    std::size_t total = 0;
    for (const auto& segment : elf.segments) total += segment.p_filesz;
    const auto buffer = KTSTR_TRY(LargeBuffer::create(total));
    std::vector<std::span<std::byte>> copies;
    for (auto rest = buffer.bytes(); const auto& segment : elf.segments) {
      copies.push_back(rest.first(segment.p_filesz));
      rest = rest.subspan(segment.p_filesz);
      std::copy_n(elf.file.begin() + static_cast<std::ptrdiff_t>(segment.p_offset), segment.p_filesz,
                  copies.back().begin());
    }
    const auto loaded = [&](std::uint64_t address, std::size_t bytes) -> std::byte* {
      const auto index = segment_of(elf, address, bytes);
      return index ? copies[*index].data() + (address - elf.segments[*index].p_paddr) : nullptr;
    };
    const auto slide = KTSTR_TRY(random_slide(elf));
    KTSTR_TRY_STATUS(relocate_kernel(elf, slide, loaded));
    for (std::size_t i = 0; i < copies.size(); ++i)
      KTSTR_TRY_STATUS(put(GuestPhys(elf.segments[i].p_paddr), copies[i], "kernel"));
    return ok();
  }

  /// The segment that has [address, address + bytes) in the file.
  static std::optional<std::size_t> segment_of(const KernelElf& elf, std::uint64_t address,
                                               std::size_t bytes) {
    for (std::size_t i = 0; i < elf.segments.size(); ++i) {
      const auto& segment = elf.segments[i];
      const auto offset = address - segment.p_paddr;
      if (address >= segment.p_paddr && offset <= segment.p_filesz && bytes <= segment.p_filesz - offset)
        return i;
    }
    return std::nullopt;
  }

  Result<GuestPhys> load_bzimage() {
    const auto corrupt = [](const char* what) {
      return Error{ErrorCode::kCorrupt, std::string("kernel image: ") + what};
    };
    const auto image = what_.kernel;
    setup_header header{};
    if (image.size() < kSetupHeader + sizeof(header)) return corrupt("neither ELF nor bzImage");
    std::memcpy(&header, image.data() + kSetupHeader, sizeof(header));
    if (header.header != kHeaderMagic) return corrupt("neither ELF nor bzImage");
    if (header.version < kProtocolWith64Bit || !(header.xloadflags & XLF_KERNEL_64))
      return Error{ErrorCode::kUnavailable, "this bzImage has no 64-bit entry"};
    const std::size_t sectors = header.setup_sects ? header.setup_sects : kDefaultSetupSectors;
    const std::size_t setup = (sectors + 1) * kSectorBytes;
    if (setup + kEntry64 >= image.size()) return corrupt("truncated");
    const GuestPhys base(header.pref_address);
    if (base < kHighMemory || base >= kLowRamEnd) return corrupt("wants an address where no kernel lies");
    const auto bytes = std::max<std::uint64_t>(header.init_size, image.size() - setup);
    if (!memory_.slice(base, bytes)) return too_small("kernel", bytes);
    KTSTR_TRY_STATUS(put(base, image.subspan(setup), "kernel"));
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
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("a kernel command line of {} bytes is too long", line.size())};
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
