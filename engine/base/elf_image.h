// ElfImage: a bounded view of an ELF64 little-endian file in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/address.h"
#include "engine/base/result.h"

namespace ktstr {

/// A section that occupies bytes of the file.
struct ElfSection {
  std::string name;
  KernelVirt address;  ///< link-time address; 0 for a section that is not loaded
  std::span<const std::byte> bytes;
};

/// A PT_LOAD segment. Memory beyond bytes.size(), up to memory_bytes, is zero at load.
struct ElfSegment {
  KernelVirt address;
  std::uint64_t memory_bytes = 0;
  std::span<const std::byte> bytes;
};

/// The parts of an ELF file that readers of a kernel need. The file's bytes must outlive the image and all
/// spans from it. Nothing in the file is trusted: a section or segment that reaches beyond the file's end
/// makes open() fail.
class ElfImage {
 public:
  /// Errors (kCorrupt): not ELF, not 64-bit little-endian, or a table, section or segment that the file does
  /// not hold.
  [[nodiscard]] static Result<ElfImage> open(std::span<const std::byte> file);

  /// e_machine of the ELF header (EM_X86_64 ...).
  [[nodiscard]] std::uint16_t machine() const { return machine_; }
  /// PT_LOAD segments in the file's order.
  [[nodiscard]] std::span<const ElfSegment> segments() const { return segments_; }
  /// All sections with bytes in the file, in the file's order.
  [[nodiscard]] std::span<const ElfSection> sections() const { return sections_; }
  /// The first section called `name`.
  [[nodiscard]] const ElfSection* section(std::string_view name) const;

  /// `size` bytes of a segment's file contents at link-time `address`; nullopt when they are not all in one
  /// segment.
  [[nodiscard]] std::optional<std::span<const std::byte>> bytes_at(KernelVirt address,
                                                                   std::uint64_t size) const;

  /// NT_GNU_BUILD_ID in lower-case hexadecimal.
  [[nodiscard]] const std::optional<std::string>& build_id() const { return build_id_; }

 private:
  ElfImage() = default;

  std::uint16_t machine_ = 0;
  std::vector<ElfSegment> segments_;
  std::vector<ElfSection> sections_;
  std::optional<std::string> build_id_;
};

/// Whether `file` begins with the ELF magic.
[[nodiscard]] bool is_elf(std::span<const std::byte> file);

}  // namespace ktstr
