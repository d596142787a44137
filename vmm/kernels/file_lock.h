// FileLock: an advisory lock (flock) between processes.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// Told in a sentence what the user should know while something goes on, from the calling thread.
using Notice = std::function<void(const std::string&)>;

/// Holds the exclusive flock of a file or directory until destroyed. Released by the kernel when the process
/// dies.
class FileLock {
 public:
  /// Waits for the lock; creates the file when there is none. `notice` is told once who holds it, when it is
  /// not to be had within a second. Errors: kIo; kCancelled when `stop` is requested.
  [[nodiscard]] static Result<FileLock> wait(const std::filesystem::path& file, const Notice& notice = {},
                                             const std::stop_token& stop = {});
  /// The lock of an existing file or directory, or nullopt when somebody holds it or it is gone.
  [[nodiscard]] static std::optional<FileLock> try_existing(const std::filesystem::path& path);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace ktstr::vmm
