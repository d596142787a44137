#include "vmm/guest_ram.h"

#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/units.h"

namespace ktstr::vmm {

Result<GuestRam> GuestRam::create(std::span<const std::uint64_t> bank_bytes) {
  GuestRam ram;
  for (const auto size : bank_bytes) {
    const auto what = format_byte_size(ByteSize{size}) + " of guest memory";
    Fd fd(::memfd_create("ktstr-guest-ram", MFD_CLOEXEC));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) return system_error("create " + what);
    void* base = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd.get(), 0);
    if (base == MAP_FAILED) return system_error("map " + what);
    ram.banks_.push_back({std::move(fd), {static_cast<std::byte*>(base), size}});
  }
  return ram;
}

GuestRam::~GuestRam() {
  for (const auto& bank : banks_) ::munmap(bank.bytes.data(), bank.bytes.size());
}

}  // namespace ktstr::vmm
