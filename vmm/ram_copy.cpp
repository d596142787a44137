#include "vmm/ram_copy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "engine/base/io.h"

namespace ktstr::vmm {
namespace {

Result<off_t> file_size(int fd) {
  struct stat about {};
  if (::fstat(fd, &about) != 0) return system_error("size of guest memory");
  return about.st_size;
}

/// Page cache to page cache: mapping either side would cost a fault per page.
Status copy_range(int source, int target, off_t begin, off_t end) {
  for (off_t from = begin, to = begin; from < end;) {
    const auto size = static_cast<std::size_t>(end - from);
    const auto count = retry([&] { return ::copy_file_range(source, &from, target, &to, size, 0); });
    if (count < 0) return system_error("copy guest memory");
    if (count == 0) return Error{ErrorCode::kIo, "copy guest memory: it ended before its end"};
  }
  return ok();
}

/// Files of reserved huge pages are read through a mapping only. Pages of zeroes stay holes.
Status copy_mapping(std::span<const std::byte> mapping, int target) {
  const std::vector<std::byte> zeroes(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  for (std::size_t at = 0; at < mapping.size(); at += zeroes.size()) {
    const auto page = mapping.subspan(at, zeroes.size());
    if (std::memcmp(page.data(), zeroes.data(), zeroes.size()) == 0) continue;
    KTSTR_TRY(write_at(target, page, at));
  }
  return ok();
}

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

/// Writes into the file `target`, at the same places, the pages of `mapping` that were written to since it
/// was mapped: a whole MAP_PRIVATE mapping of a file. They are found in /proc/self/pagemap
/// (Documentation/admin-guide/mm/pagemap.rst). Errors: kNotFound when the kernel has no pagemap; kIo.
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

Status copy_bank(const GuestRam& ram, std::size_t bank, int target) {
  if (ram.pages() == RamPages::kReserved) return copy_mapping(ram.bytes(bank), target);
  KTSTR_TRY(copy_ram(ram.fd(bank), target));
  return ram.is_copy_on_write() ? copy_private_pages(ram.bytes(bank), target) : ok();
}

}  // namespace

Status copy_ram(int source, int target) {
  const auto size = KTSTR_TRY(file_size(source));
  if (KTSTR_TRY(file_size(target)) != size) return invalid_argument("copy guest memory: the sizes differ");
  for (off_t begin = 0, end = 0; begin < size; begin = end) {
    begin = ::lseek(source, end, SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // nothing but a hole is left
    if (begin >= 0) end = ::lseek(source, begin, SEEK_HOLE);
    if (begin < 0 || end < 0) return system_error("pages of guest memory");
    KTSTR_TRY(copy_range(source, target, begin, end));
  }
  return ok();
}

Status seal_ram(int fd) {
  if (::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
    return system_error("seal guest memory");
  return ok();
}

Result<RamTemplate> RamTemplate::take(const GuestRam& ram) {
  RamTemplate copy;
  for (std::size_t i = 0; i < ram.bank_count(); ++i) {
    Fd bank(::memfd_create("ktstr-ram-template", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!bank || ::ftruncate(bank.get(), KTSTR_TRY(file_size(ram.fd(i)))) != 0)
      return system_error("create a copy of guest memory");
    KTSTR_TRY(copy_bank(ram, i, bank.get()));
    for (const auto& range : ram.file_ranges())
      if (range.bank == i)
        KTSTR_TRY(write_at(bank.get(), range.bytes,
                           static_cast<std::size_t>(range.bytes.data() - ram.bytes(i).data())));
    KTSTR_TRY(seal_ram(bank.get()));
    copy.banks_.push_back(std::move(bank));
  }
  return copy;
}

Result<std::uint64_t> RamTemplate::stored_bytes() const {
  constexpr std::uint64_t kBlockBytes = 512;  // stat(2): st_blocks' unit
  std::uint64_t bytes = 0;
  for (const auto& bank : banks_) {
    struct stat about {};
    if (::fstat(bank.get(), &about) != 0) return system_error("size of guest memory");
    bytes += static_cast<std::uint64_t>(about.st_blocks) * kBlockBytes;
  }
  return bytes;
}

Status RamTemplate::copy_into(GuestRam& ram) const {
  if (ram.bank_count() != banks_.size())
    return invalid_argument("copy guest memory: the numbers of banks differ");
  for (std::size_t i = 0; i < banks_.size(); ++i) KTSTR_TRY(copy_ram(fd(i), ram.fd(i)));
  return ok();
}

}  // namespace ktstr::vmm
