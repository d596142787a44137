#include "engine/base/durable_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <system_error>
#include <utility>

#include "engine/base/io.h"

namespace ktstr {
namespace {

namespace fs = std::filesystem;

std::string_view kind_of(mode_t mode) {
  constexpr std::pair<mode_t, std::string_view> kKinds[] = {{S_IFCHR, "a character device"},
                                                            {S_IFBLK, "a block device"},
                                                            {S_IFIFO, "a pipe"},
                                                            {S_IFSOCK, "a socket"},
                                                            {S_IFDIR, "a directory"}};
  for (const auto& [type, name] : kKinds)
    if ((mode & S_IFMT) == type) return name;
  return "something else";
}

/// The mode of the file that will be replaced, if there is one.
Result<std::optional<mode_t>> mode_to_keep(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return std::optional<mode_t>();
    return system_error(path.string());
  }
  if (!S_ISREG(status.st_mode))
    return invalid_argument(path.string() + ": " + std::string(kind_of(status.st_mode)) +
                            ", not a regular file");
  return std::optional<mode_t>(status.st_mode & 07777);
}

/// A file of a new name beside `target`.
Result<std::pair<fs::path, Fd>> create_part(const fs::path& target, mode_t mode) {
  static std::atomic<unsigned> number = 0;
  constexpr int kTries = 100;  // names that a killed process left behind are passed over
  for (int i = 0; i < kTries; ++i) {
    auto part = target;
    part += fmt::format(".{}-{}.part", ::getpid(), ++number);
    Fd fd(::open(part.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (fd) return std::pair(std::move(part), std::move(fd));
    if (errno != EEXIST) break;
  }
  return system_error("create a file beside it");
}

}  // namespace

Result<NewFile> NewFile::beside(const fs::path& path, mode_t mode) {
  const auto kept = KTSTR_TRY(mode_to_keep(path));
  std::error_code error;
  auto target = kept ? fs::canonical(path, error) : path;
  if (error) return system_error(path.string(), error.value());
  auto part = KTSTR_TRY(create_part(target, mode), path.string());
  NewFile file(path, std::move(target), std::move(part.first), std::move(part.second));
  if (kept && ::fchmod(file.fd_.get(), *kept) != 0) return file.failure("chmod");
  return file;
}

NewFile::NewFile(NewFile&& other) noexcept
    : named_(std::move(other.named_)),
      target_(std::move(other.target_)),
      part_(std::exchange(other.part_, {})),
      fd_(std::move(other.fd_)) {}

NewFile::~NewFile() {
  if (!part_.empty()) ::unlink(part_.c_str());
}

Error NewFile::failure(std::string_view what) const {
  return system_error(what).with_context(named_.string());
}

Status NewFile::append(std::span<const std::byte> bytes) {
  KTSTR_TRY(write_all(fd_.get(), bytes), named_.string());
  return ok();
}

Status NewFile::publish(Sync sync) {
  if (sync == Sync::kYes && ::fsync(fd_.get()) != 0) return failure("sync");
  if (::rename(part_.c_str(), target_.c_str()) != 0) return failure("rename");
  part_.clear();
  if (sync == Sync::kNo) return ok();
  const auto directory = target_.parent_path();
  return sync_directory(directory.empty() ? fs::path(".") : directory);
}

Status write_new_file(const fs::path& path, std::span<const std::byte> bytes) {
  auto file = KTSTR_TRY(NewFile::beside(path));
  KTSTR_TRY(file.append(bytes));
  return file.publish();
}

Status write_new_file(const fs::path& path, std::string_view text) {
  return write_new_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

Status sync_directory(const fs::path& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return system_error("open " + directory.string());
  if (::fsync(fd.get()) != 0) return system_error("sync " + directory.string());
  return ok();
}

}  // namespace ktstr
