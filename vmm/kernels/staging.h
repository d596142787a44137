// StagingDirectory: where a cache entry is made before it appears under its name.
#pragma once

#include <filesystem>
#include <optional>

#include "engine/base/result.h"
#include "vmm/kernels/file_lock.h"

namespace ktstr::vmm {

/// A fresh directory inside a cache, removed with all contents by the destructor unless published. It is
/// locked as long as it is in use, so that one left behind by a killed process is told apart from one at
/// work.
class StagingDirectory {
 public:
  /// Precondition: the caller holds the cache's lock (nobody else creates or clears staging directories
  /// meanwhile).
  [[nodiscard]] static Result<StagingDirectory> create(const std::filesystem::path& parent);
  /// Removes what killed processes left in `parent`. Precondition: as create().
  [[nodiscard]] static Status remove_stale(const std::filesystem::path& parent);

  StagingDirectory(StagingDirectory&& other) noexcept;
  StagingDirectory& operator=(StagingDirectory&&) = delete;
  ~StagingDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Makes the directory appear as `target`, complete on disk; every file in it must be on disk already. The
  /// target must not exist. Precondition: as create().
  [[nodiscard]] Status publish(const std::filesystem::path& target);

 private:
  StagingDirectory(std::filesystem::path path, FileLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;  ///< empty once published or moved from
  FileLock lock_;
};

}  // namespace ktstr::vmm
