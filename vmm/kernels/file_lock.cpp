#include "vmm/kernels/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

namespace ktstr::vmm {

Result<FileLock> FileLock::wait(const std::filesystem::path& file) {
  Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd) return system_error("open " + file.string());
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR) return system_error("lock " + file.string());
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_existing(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return FileLock(std::move(fd));
}

}  // namespace ktstr::vmm
