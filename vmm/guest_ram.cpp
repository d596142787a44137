#include "vmm/guest_ram.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <numeric>
#include <string>
#include <vector>

#include "engine/base/io.h"
#include "engine/base/units.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm {
namespace {

#ifndef MFD_HUGE_2MB
constexpr unsigned MFD_HUGE_2MB = 21U << 26;
#endif

std::string size_of(std::span<std::byte> mapping) {
  return format_byte_size(ByteSize{mapping.size()});
}

/// For kernels before 5.14.
void touch_pages(std::span<std::byte> mapping) {
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  for (std::size_t at = 0; at < mapping.size(); at += page_bytes)
    *const_cast<volatile std::byte*>(&mapping[at]) = std::byte{0};
}

}  // namespace

Result<Fd> create_memory_file(std::uint64_t bytes, RamPages pages) {
  const bool reserved = pages == RamPages::kReserved;
  Fd fd(::memfd_create("ktstr-guest-ram", reserved ? MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB : MFD_CLOEXEC));
  if (!fd && reserved)
    return Error{ErrorCode::kUnavailable, "the kernel has no reserved huge pages of 2M (hugetlbfs)"};
  if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
    return system_error("create " + format_byte_size(ByteSize{bytes}) + " of guest memory");
  return fd;
}

Status check_transparent_pages(const std::filesystem::path& sysfs) {
  const auto file = sysfs / "kernel/mm/transparent_hugepage/shmem_enabled";
  const auto text = read_file(file, 4096).value_or(FileText{}).text;
  const auto begin = text.find('['), end = text.find(']');
  if (begin == text.npos || end == text.npos || end < begin)
    return Error{ErrorCode::kUnavailable, "the kernel has no transparent huge pages for shared memory"};
  const auto setting = text.substr(begin + 1, end - begin - 1);
  if (setting != "never" && setting != "deny") return ok();
  return Error{ErrorCode::kUnavailable,
               "transparent ones are off for shared memory (" + file.string() + " is " + setting + ")"};
}

Status advise_huge_pages(std::span<std::byte> mapping) {
  if (::madvise(mapping.data(), mapping.size(), MADV_HUGEPAGE) != 0)
    return system_error("ask for huge pages in " + size_of(mapping) + " of guest memory");
  return ok();
}

// By its number: the C library has no such function, and libnuma is a library for one call.
Status bind_memory(std::span<std::byte> mapping, const CpuSet& nodes) {
  constexpr std::size_t kBits = sizeof(unsigned long) * CHAR_BIT;
  const auto numbers = nodes.to_vector();
  if (numbers.empty()) return invalid_argument("bind guest memory to no NUMA node");
  std::vector<unsigned long> mask(numbers.back() / kBits + 1);
  for (const auto node : numbers) mask[node / kBits] |= 1UL << node % kBits;
  // The kernel takes one bit less than it is told.
  if (::syscall(SYS_mbind, mapping.data(), mapping.size(), MPOL_BIND, mask.data(), mask.size() * kBits + 1,
                0) != 0)
    return system_error("bind " + size_of(mapping) + " of guest memory to NUMA node " + nodes.to_string());
  return ok();
}

Status prefault_memory(std::span<std::byte> mapping) {
  if (retry([&] { return ::madvise(mapping.data(), mapping.size(), MADV_POPULATE_WRITE); }) == 0) return ok();
  if (errno != EINVAL) return system_error("prefault " + size_of(mapping) + " of guest memory");
  touch_pages(mapping);
  return ok();
}

Result<GuestRam> GuestRam::create(std::span<const std::uint64_t> bank_bytes, const RamOptions& options) {
  auto ram =
      KTSTR_TRY(options.huge_pages ? map_huge_banks(bank_bytes) : map_banks(bank_bytes, RamPages::kOrdinary));
  for (std::size_t bank = 0; bank < options.host_nodes.size(); ++bank)
    KTSTR_TRY(bind_memory(ram.bytes(bank), options.host_nodes[bank]));
  for (std::size_t bank = 0; bank < ram.bank_count() && options.prefault; ++bank)
    KTSTR_TRY(prefault_memory(ram.bytes(bank)));
  ram.prefaulted_ = options.prefault;
  return ram;
}

Result<GuestRam> GuestRam::map_banks(std::span<const std::uint64_t> bank_bytes, RamPages pages) {
  GuestRam ram(false, pages);
  for (const auto size : bank_bytes)
    KTSTR_TRY(ram.add_bank(KTSTR_TRY(create_memory_file(size, pages)), size));
  return ram;
}

/// Reserved pages for all banks or for none.
Result<GuestRam> GuestRam::map_huge_banks(std::span<const std::uint64_t> bank_bytes) {
  if (auto reserved = map_banks(bank_bytes, RamPages::kReserved)) return reserved;
  const auto bytes = std::accumulate(bank_bytes.begin(), bank_bytes.end(), std::uint64_t{0});
  if (const auto transparent = check_transparent_pages("/sys"); !transparent)
    return Error{
        ErrorCode::kUnavailable,
        fmt::format("huge pages: {} of 2M are needed and not that many are reserved and free (sysctl "
                    "vm.nr_hugepages), and {}",
                    bytes / kHugePageBytes, transparent.error().message)};
  auto ram = KTSTR_TRY(map_banks(bank_bytes, RamPages::kTransparent));
  for (std::size_t bank = 0; bank < ram.bank_count(); ++bank) KTSTR_TRY(advise_huge_pages(ram.bytes(bank)));
  return ram;
}

Result<GuestRam> GuestRam::copy_on_write(const RamTemplate& source) {
  GuestRam ram(true, RamPages::kOrdinary);
  for (std::size_t bank = 0; bank < source.bank_count(); ++bank) {
    Fd fd(::fcntl(source.fd(bank), F_DUPFD_CLOEXEC, 0));
    struct stat about {};
    if (!fd || ::fstat(fd.get(), &about) != 0) return system_error("share a template of guest memory");
    KTSTR_TRY(ram.add_bank(std::move(fd), static_cast<std::size_t>(about.st_size)));
  }
  return ram;
}

Status GuestRam::add_bank(Fd fd, std::size_t bytes) {
  const int sharing = copy_on_write_ ? MAP_PRIVATE : MAP_SHARED;
  // Reserved pages are counted out here, so that none is missing later.
  const int reserve = pages_ == RamPages::kReserved ? 0 : MAP_NORESERVE;
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | reserve, fd.get(), 0);
  if (base == MAP_FAILED)
    return system_error("map " + format_byte_size(ByteSize{bytes}) + " of guest memory");
  banks_.push_back({std::move(fd), {static_cast<std::byte*>(base), bytes}});
  return ok();
}

Status GuestRam::map_file(std::size_t bank, std::size_t offset, int file, std::size_t file_offset,
                          std::size_t bytes) {
  const auto place = banks_[bank].bytes.subspan(offset, bytes);
  if (::mmap(place.data(), bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, file,
             static_cast<off_t>(file_offset)) == MAP_FAILED)
    return system_error("map a file into guest memory");
  file_ranges_.push_back({bank, place});
  return ok();
}

GuestRam::~GuestRam() {
  for (const auto& bank : banks_) ::munmap(bank.bytes.data(), bank.bytes.size());
}

}  // namespace ktstr::vmm
