// FileLock: an advisory lock (flock) between processes.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// Holds the exclusive flock of a file or directory until destroyed. Released by the kernel when the process
/// dies.
class FileLock {
 public:
  /// Waits for the lock; creates the file when there is none.
  [[nodiscard]] static Result<FileLock> wait(const std::filesystem::path& file);
  /// The lock of an existing file or directory, or nullopt when somebody holds it or it is gone.
  [[nodiscard]] static std::optional<FileLock> try_existing(const std::filesystem::path& path);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ktstr::vmm
