#include "vmm/ram_pages.h"

#include <linux/mempolicy.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <vector>

#include "engine/base/io.h"
#include "engine/base/units.h"

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
  if (numbers.empty()) return Error{ErrorCode::kInvalidArgument, "bind guest memory to no NUMA node"};
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

}  // namespace ktstr::vmm
