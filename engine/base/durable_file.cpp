#include "engine/base/durable_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <system_error>

#include "engine/base/fd.h"

namespace ktstr {

Status write_durably(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) return system_error("create " + path.string());
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write " + path.string());
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return system_error("sync " + path.string());
  return ok();
}

Status write_durably(const std::filesystem::path& path, std::string_view text) {
  return write_durably(path, std::as_bytes(std::span(text.data(), text.size())));
}

Status publish(const std::filesystem::path& part, const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) {
    auto failure = system_error("rename " + part.string(), error.value());
    std::filesystem::remove(part, error);
    return failure;
  }
  const auto directory = path.parent_path();
  return sync_directory(directory.empty() ? std::filesystem::path(".") : directory);
}

Status sync_directory(const std::filesystem::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error("open " + directory.string());
  if (::fsync(fd.get()) != 0) return system_error("sync " + directory.string());
  return ok();
}

}  // namespace ktstr
