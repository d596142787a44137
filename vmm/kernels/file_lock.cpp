#include "vmm/kernels/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace ktstr::vmm {
namespace {

constexpr std::chrono::milliseconds kLook{20};
constexpr std::chrono::seconds kPatience{1};

/// Who holds the flock, as /proc/locks tells: "1: FLOCK  ADVISORY  WRITE 1234 00:2d:77 0 EOF".
std::string holder_of(const Fd& fd) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return "another process";
  const auto file =
      fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
  std::ifstream locks("/proc/locks");
  std::string number, kind, mode, access, pid, place;
  for (std::string line;
       locks >> number >> kind >> mode >> access >> pid >> place && std::getline(locks, line);)
    if (kind == "FLOCK" && place == file) return "PID " + pid;
  return "another process";
}

/// Of a cache that is not ours to write to, the lock file can be locked all the same.
Fd open_lock_file(const std::filesystem::path& file) {
  Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd && (errno == EACCES || errno == EROFS)) fd = Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return fd;
}

}  // namespace

Result<FileLock> FileLock::wait(const std::filesystem::path& file, const Notice& notice,
                                const std::stop_token& stop) {
  Fd fd = open_lock_file(file);
  if (!fd) return system_error("open " + file.string());
  const auto patience_ends = std::chrono::steady_clock::now() + kPatience;
  bool told = !notice;
  while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return system_error("lock " + file.string());
    if (stop.stop_requested())
      return Error{ErrorCode::kCancelled, "interrupted while " + file.string() + " was locked"};
    if (!told && std::chrono::steady_clock::now() >= patience_ends) {
      notice(fmt::format("waiting for {}, which holds {}", holder_of(fd), file.string()));
      told = true;
    }
    std::this_thread::sleep_for(kLook);
  }
  return FileLock(std::move(fd));
}

std::optional<FileLock> FileLock::try_existing(const std::filesystem::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  return FileLock(std::move(fd));
}

}  // namespace ktstr::vmm
