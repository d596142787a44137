// Files that are whole on disk once written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr {

/// A file that is written beside its place and gets its name when it is whole, or is removed again.
class NewFile {
 public:
  enum class Sync : bool { kNo, kYes };

  /// A regular file that is there is replaced in the end and gives its permissions; a symbolic link to one
  /// stays. Errors: kInvalidArgument, there is something else (a rename would replace a device's node);
  /// kNotFound, no such directory; kIo. All errors name `path`.
  [[nodiscard]] static Result<NewFile> beside(const std::filesystem::path& path, mode_t mode = 0644);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  [[nodiscard]] const Fd& fd() const { return fd_; }
  /// Errors: kIo.
  [[nodiscard]] Status append(std::span<const std::byte> bytes);
  /// Gives it its name; nothing may be written any more. With kYes, bytes and name are on disk.
  [[nodiscard]] Status publish(Sync sync = Sync::kYes);

 private:
  NewFile(std::filesystem::path named, std::filesystem::path target, std::filesystem::path part, Fd fd)
      : named_(std::move(named)), target_(std::move(target)), part_(std::move(part)), fd_(std::move(fd)) {}
  [[nodiscard]] Error failure(std::string_view what) const;

  std::filesystem::path named_;   ///< as it was given
  std::filesystem::path target_;  ///< where its links lead
  std::filesystem::path part_;    ///< empty once it has its name
  Fd fd_;
};

/// Writes a NewFile in one go: bytes and name are on disk.
[[nodiscard]] Status write_new_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
[[nodiscard]] Status write_new_file(const std::filesystem::path& path, std::string_view text);

/// Waits until the names in a directory (created, renamed, removed) are on disk.
[[nodiscard]] Status sync_directory(const std::filesystem::path& directory);

}  // namespace ktstr
