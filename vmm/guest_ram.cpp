#include "vmm/guest_ram.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/units.h"
#include "vmm/ram_copy.h"

namespace ktstr::vmm {

Result<GuestRam> GuestRam::create(std::span<const std::uint64_t> bank_bytes) {
  GuestRam ram(false);
  for (const auto size : bank_bytes) {
    Fd fd(::memfd_create("ktstr-guest-ram", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0)
      return system_error("create " + format_byte_size(ByteSize{size}) + " of guest memory");
    KTSTR_TRY_STATUS(ram.add_bank(std::move(fd), size));
  }
  return ram;
}

Result<GuestRam> GuestRam::copy_on_write(const RamTemplate& source) {
  GuestRam ram(true);
  for (std::size_t bank = 0; bank < source.bank_count(); ++bank) {
    Fd fd(::fcntl(source.fd(bank), F_DUPFD_CLOEXEC, 0));
    struct stat about {};
    if (!fd || ::fstat(fd.get(), &about) != 0) return system_error("share a template of guest memory");
    KTSTR_TRY_STATUS(ram.add_bank(std::move(fd), static_cast<std::size_t>(about.st_size)));
  }
  return ram;
}

Status GuestRam::add_bank(Fd fd, std::size_t bytes) {
  const int sharing = copy_on_write_ ? MAP_PRIVATE : MAP_SHARED;
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, sharing | MAP_NORESERVE, fd.get(), 0);
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
