// GuestRam: the guest's memory, made by us and mapped here; shared with QEMU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

class RamTemplate;

/// One memfd per NUMA node, each mapped for as long as this lives. Pages cost host memory once touched.
class GuestRam {
 public:
  /// Zeroes, mapped shared: what others that map fd() write shows here. Errors: kIo when the memory or the
  /// address space is not to be had.
  [[nodiscard]] static Result<GuestRam> create(std::span<const std::uint64_t> bank_bytes);
  /// What `source` has, copied page by page when it is written to: nobody else sees what is written here, and
  /// what is not takes no memory. Independent of the template's life. Errors: kIo.
  [[nodiscard]] static Result<GuestRam> copy_on_write(const RamTemplate& source);
  GuestRam(GuestRam&& other) noexcept
      : banks_(std::move(other.banks_)),
        file_ranges_(std::move(other.file_ranges_)),
        copy_on_write_(other.copy_on_write_) {
    other.banks_.clear();
  }
  GuestRam& operator=(GuestRam&&) = delete;
  ~GuestRam();

  /// Whether it was made by copy_on_write(): fd() then has the pages of the template, those written since are
  /// only in bytes().
  [[nodiscard]] bool is_copy_on_write() const { return copy_on_write_; }

  /// Puts `bytes` of a file, from `file_offset` on, at `offset` of a bank: copied page by page when they are
  /// written to, as in copy_on_write(). They show in bytes() only, not through fd(). The file must keep its
  /// bytes and its size for as long as this lives. Preconditions: whole pages, inside file and bank; made by
  /// create(). Errors: kIo.
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
  explicit GuestRam(bool copy_on_write) : copy_on_write_(copy_on_write) {}
  Status add_bank(Fd fd, std::size_t bytes);

  std::vector<Bank> banks_;
  std::vector<FileRange> file_ranges_;
  bool copy_on_write_;
};

}  // namespace ktstr::vmm
