// A guest's memory and registers in a file (docs/formats/memory-image.md).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "engine/base/mapped_file.h"
#include "engine/base/result.h"
#include "introspect/kernel_image.h"
#include "introspect/span_memory.h"

namespace ktstr::introspect {

/// Writes the spans of `memory` and the registers to `path`, replacing a file there. Pages of zeros take no
/// space on a file system with holes. Freeze the guest first, or pages are of different instants. kIo: the
/// file is removed again.
[[nodiscard]] Status save_memory_image(const std::filesystem::path& path, const SpanMemory& memory,
                                       std::span<const CpuContext> vcpus);

/// A saved image, mapped. Movable; memory() is valid as long as it lives. The file must not be truncated
/// meanwhile.
class MemoryImage {
 public:
  /// kCorrupt names the part of the file that is damaged.
  [[nodiscard]] static Result<MemoryImage> open(const std::filesystem::path& path);

  [[nodiscard]] const SpanMemory& memory() const { return memory_; }
  [[nodiscard]] std::span<const CpuContext> vcpus() const { return vcpus_; }

 private:
  MemoryImage(MappedFile file, SpanMemory memory, std::vector<CpuContext> vcpus)
      : file_(std::move(file)), memory_(std::move(memory)), vcpus_(std::move(vcpus)) {}

  MappedFile file_;
  SpanMemory memory_;
  std::vector<CpuContext> vcpus_;
};

}  // namespace ktstr::introspect
