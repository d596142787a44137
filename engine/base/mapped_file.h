// MappedFile: a file's bytes, mapped read-only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <utility>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr {

/// Move-only owner of a private read-only mapping of a whole file. The file must not be truncated while it is
/// mapped.
class MappedFile {
 public:
  /// An empty file gives an empty mapping. Errors: the path named with the failed call; not a regular file.
  [[nodiscard]] static Result<MappedFile> open(const std::filesystem::path& path);

  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept
      : fd_(std::move(other.fd_)), bytes_(std::exchange(other.bytes_, {})) {}
  MappedFile& operator=(MappedFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MappedFile();

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  /// For other mappings of it; -1 when it is empty.
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  MappedFile(Fd fd, std::span<const std::byte> bytes) : fd_(std::move(fd)), bytes_(bytes) {}
  Fd fd_;
  std::span<const std::byte> bytes_;
};

}  // namespace ktstr
