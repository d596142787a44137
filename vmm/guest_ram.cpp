#include "vmm/guest_ram.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <numeric>

#include "engine/base/units.h"
#include "vmm/ram_copy.h"
#include "vmm/ram_pages.h"

namespace ktstr::vmm {

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
