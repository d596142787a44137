#include "vmm/positioned_io.h"

#include <unistd.h>

#include <cerrno>

namespace ktstr::vmm {

Status read_at(int fd, std::span<std::byte> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const auto count = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("read a file");
    if (count == 0) return Error{ErrorCode::kIo, "read a file: it ended before its end"};
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
  return ok();
}

Status write_at(int fd, std::span<const std::byte> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error("write into memory");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::size_t>(count);
  }
  return ok();
}

}  // namespace ktstr::vmm
