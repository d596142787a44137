// The loader of our own machine: any bytes as kernel, with KASLR or without, beside an initramfs or none.
#include <asm/bootparam.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/kernel_elf.h"
#include "vmm/kvm/layout.h"
#include "vmm/kvm/loader.h"

using namespace ktstr;
using namespace ktstr::vmm::kvm;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kFirstBytes = 21 * kMiB, kSecondBytes = 3 * kMiB, kGuard = 64 * kMiB;

/// Memory with nothing before and behind it that could be written.
class GuardedRam {
 public:
  explicit GuardedRam(std::uint64_t bytes) {
    void* space = ::mmap(nullptr, bytes + 2 * kGuard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (space == MAP_FAILED) std::abort();
    auto* begin = static_cast<std::byte*>(space) + kGuard;
    if (::mprotect(begin, bytes, PROT_READ | PROT_WRITE) != 0) std::abort();
    bytes_ = {begin, bytes};
  }
  [[nodiscard]] std::span<std::byte> cleared() const {
    ::madvise(bytes_.data(), bytes_.size(), MADV_DONTNEED);
    return bytes_;
  }

 private:
  std::span<std::byte> bytes_;
};

/// What the input's first byte chooses.
struct Choice {
  bool kaslr = false, second_is_high = false;
  std::size_t initramfs_bytes = 0;

  explicit Choice(std::uint8_t bits)
      : kaslr(bits & 1), second_is_high(bits & 2), initramfs_bytes((bits >> 2) * 0x4001U) {}
};

/// Behind what the kernel's own image says of its memory.
std::uint64_t kernel_end(const LinuxToLoad& what, const boot_params& params) {
  if (const auto elf = vmm::KernelElf::read(what.kernel)) return elf->link_end();
  return params.hdr.pref_address + params.hdr.init_size;
}

void check(const GuestMemory& memory, const LinuxToLoad& what, const LinuxEntry& entry) {
  if (!memory.slice(entry.entry, 1) || entry.entry < kHighMemory) std::abort();
  boot_params params;
  const auto bytes = memory.slice(entry.boot_params, sizeof(params));
  if (!bytes) std::abort();
  std::memcpy(&params, bytes->data(), sizeof(params));
  if (params.e820_entries < 3 || params.e820_entries > 4) std::abort();
  if (what.initramfs.empty()) return;
  const std::uint64_t initramfs = params.hdr.ramdisk_image;
  const auto loaded = memory.slice(GuestPhys(initramfs), what.initramfs.size());
  if (!loaded || !std::equal(loaded->begin(), loaded->end(), what.initramfs.begin())) std::abort();
  if (initramfs < kernel_end(what, params)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const GuardedRam first(kFirstBytes), second(kSecondBytes);
  static const std::vector<std::byte> initramfs(0x40 * 0x4001, std::byte{0xa5});
  fuzz::FuzzInput input(data, size);
  const Choice choice(input.take<std::uint8_t>());
  const vmm::MemoryRegion ram[] = {
      {GuestPhys(), first.cleared()},
      {choice.second_is_high ? kHighRam : GuestPhys(kFirstBytes), second.cleared()}};
  const LinuxToLoad what{.kernel = input.rest(),
                         .kernel_fd = -1,
                         .initramfs = std::span(initramfs).first(choice.initramfs_bytes),
                         .command_line = "quiet",
                         .kaslr = choice.kaslr,
                         .acpi_rsdp = kAcpiTables};
  if (const auto entry = load_linux(ram, what)) check(GuestMemory(ram), what, *entry);
  return 0;
}
