// GuestRam: the guest's memory, made by us and mapped here, shared with QEMU; and the pages behind it: huge
// ones, the host's NUMA nodes they come from, and having them early.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/performance.h"

namespace ktstr::vmm {

inline constexpr std::uint64_t kHugePageBytes = 2ULL << 20;

/// A memfd of `bytes` bytes. Of reserved pages: `bytes` is a multiple of kHugePageBytes, and pages are only
/// set aside by mapping it. Errors: kIo; kUnavailable when the kernel has no such pages.
[[nodiscard]] Result<Fd> create_memory_file(std::uint64_t bytes, RamPages pages);

/// Whether memfds get transparent huge pages when they are asked for: `sysfs` ("/sys") says so in
/// kernel/mm/transparent_hugepage/shmem_enabled (Documentation/admin-guide/mm/transhuge.rst). Errors:
/// kUnavailable, with the setting that forbids it.
[[nodiscard]] Status check_transparent_pages(const std::filesystem::path& sysfs);

/// Asks for transparent huge pages in a mapping of a memfd. Errors: kIo.
[[nodiscard]] Status advise_huge_pages(std::span<std::byte> mapping);

/// Pages of the file behind a shared mapping come from these NUMA nodes of the host and from no others, also
/// when another process touches them. Those that are there already stay. Errors: kIo.
[[nodiscard]] Status bind_memory(std::span<std::byte> mapping, const CpuSet& nodes);

/// Gives every page of a mapping that is zeroes its memory. Errors: kIo, when there is not so much.
[[nodiscard]] Status prefault_memory(std::span<std::byte> mapping);

class RamTemplate;

struct RamOptions {
  bool huge_pages = false;  ///< banks are then whole 2 MiB
  bool prefault = false;
  std::vector<CpuSet> host_nodes{};  ///< NUMA nodes of the host for each bank; empty: whichever
};

/// One memfd per NUMA node, each mapped for as long as this lives. Pages cost host memory once touched.
class GuestRam {
 public:
  /// Zeroes, mapped shared: what others that map fd() write shows here. Errors: kIo when the memory or the
  /// address space is not to be had; kUnavailable when huge pages are not, with what would change that.
  [[nodiscard]] static Result<GuestRam> create(std::span<const std::uint64_t> bank_bytes,
                                               const RamOptions& options = {});
  /// What `source` has, copied page by page when it is written to: nobody else sees what is written here, and
  /// what is not takes no memory. Independent of the template's life. Errors: kIo.
  [[nodiscard]] static Result<GuestRam> copy_on_write(const RamTemplate& source);
  GuestRam(GuestRam&&) noexcept = default;
  GuestRam& operator=(GuestRam&&) = delete;
  ~GuestRam();

  /// Whether it was made by copy_on_write(): fd() then has the pages of the template, those written since are
  /// only in bytes().
  [[nodiscard]] bool is_copy_on_write() const { return copy_on_write_; }
  [[nodiscard]] RamPages pages() const { return pages_; }

  /// Whether map_file() may be used: not where huge pages or prefaulted ones were asked for, which a file's
  /// would replace, nor in a copy.
  [[nodiscard]] bool can_map_files() const {
    return !copy_on_write_ && pages_ == RamPages::kOrdinary && !prefaulted_;
  }
  /// Puts `bytes` of a file, from `file_offset` on, at `offset` of a bank: copied page by page when they are
  /// written to, as in copy_on_write(). They show in bytes() only, not through fd(). The file must keep its
  /// bytes and its size for as long as this lives. Preconditions: whole pages, inside file and bank;
  /// can_map_files(). Errors: kIo.
  [[nodiscard]] Status map_file(std::size_t bank, std::size_t offset, int file, std::size_t file_offset,
                                std::size_t bytes);
  /// What map_file() has put there.
  struct FileRange {
    std::size_t bank = 0;
    std::span<std::byte> bytes;  ///< part of bytes(bank)
  };
  [[nodiscard]] std::span<const FileRange> file_ranges() const { return file_ranges_; }

  [[nodiscard]] std::size_t bank_count() const { return banks_.size(); }
  /// Preconditions: bank < bank_count().
  [[nodiscard]] int fd(std::size_t bank) const { return banks_[bank].fd.get(); }
  [[nodiscard]] std::span<std::byte> bytes(std::size_t bank) const { return banks_[bank].bytes; }

 private:
  struct Bank {
    Fd fd;
    std::span<std::byte> bytes;
  };
  GuestRam(bool copy_on_write, RamPages pages) : copy_on_write_(copy_on_write), pages_(pages) {}
  static Result<GuestRam> map_banks(std::span<const std::uint64_t> bank_bytes, RamPages pages);
  static Result<GuestRam> map_huge_banks(std::span<const std::uint64_t> bank_bytes);
  Status add_bank(Fd fd, std::size_t bytes);

  std::vector<Bank> banks_;
  std::vector<FileRange> file_ranges_;
  bool copy_on_write_;
  RamPages pages_;
  bool prefaulted_ = false;
};

}  // namespace ktstr::vmm
