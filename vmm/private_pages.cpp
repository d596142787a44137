#include "vmm/private_pages.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "engine/base/fd.h"
#include "engine/base/io.h"

namespace ktstr::vmm {
namespace {

// An entry of pagemap. What is there or in swap, and is not the file's, is a copy that a write has made.
constexpr std::uint64_t kPresent = 1ULL << 63, kSwapped = 1ULL << 62, kOfFile = 1ULL << 61;

constexpr std::size_t kEntriesAtOnce = 4096;  ///< looked at together

bool is_private(std::uint64_t entry) {
  return (entry & (kPresent | kSwapped)) != 0 && (entry & kOfFile) == 0;
}

/// The entries of the pages from `address` on. Gives how many were read.
Result<std::size_t> read_entries(int pagemap, const std::byte* address, std::size_t page_bytes,
                                 std::span<std::uint64_t> entries) {
  const auto offset = reinterpret_cast<std::uintptr_t>(address) / page_bytes * sizeof(std::uint64_t);
  const auto count = ::pread(pagemap, entries.data(), entries.size_bytes(), static_cast<off_t>(offset));
  if (count < static_cast<ssize_t>(sizeof(std::uint64_t))) return system_error("read /proc/self/pagemap");
  return static_cast<std::size_t>(count) / sizeof(std::uint64_t);
}

}  // namespace

Status copy_private_pages(std::span<const std::byte> mapping, int target) {
  const Fd pagemap(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!pagemap) return system_error("open /proc/self/pagemap");
  const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto pages = mapping.size() / page_bytes;
  std::array<std::uint64_t, kEntriesAtOnce> entries;
  for (std::size_t first = 0; first < pages;) {
    const auto wanted = std::span(entries).first(std::min(kEntriesAtOnce, pages - first));
    const auto count =
        KTSTR_TRY(read_entries(pagemap.get(), &mapping[first * page_bytes], page_bytes, wanted));
    const auto got = wanted.first(count);
    for (auto begin = got.begin(); (begin = std::find_if(begin, got.end(), is_private)) != got.end();) {
      const auto end = std::find_if_not(begin, got.end(), is_private);
      const auto offset = (first + static_cast<std::size_t>(begin - got.begin())) * page_bytes;
      const auto bytes = static_cast<std::size_t>(end - begin) * page_bytes;
      KTSTR_TRY(write_at(target, mapping.subspan(offset, bytes), offset));
      begin = end;
    }
    first += count;
  }
  return ok();
}

}  // namespace ktstr::vmm
