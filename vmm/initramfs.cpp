#include "vmm/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <span>

#include "engine/base/durable_file.h"
#include "engine/base/io.h"

namespace ktstr::vmm {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 30;

using ArchivePtr = std::unique_ptr<struct archive, decltype(&archive_write_free)>;
using EntryPtr = std::unique_ptr<struct archive_entry, decltype(&archive_entry_free)>;

Error archive_error(struct archive* archive, const std::string& path) {
  const char* reason = archive_error_string(archive);
  return {ErrorCode::kIo, "initramfs: " + path + ": " + (reason ? reason : "cannot be added")};
}

la_ssize_t append(struct archive*, void* output, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(data);
  auto& out = *static_cast<std::vector<std::byte>*>(output);
  out.insert(out.end(), bytes, bytes + size);
  return static_cast<la_ssize_t>(size);
}

Status check_path(std::string_view path) {
  for (auto rest = path;; rest.remove_prefix(rest.find('/') + 1)) {
    const auto part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..")
      return invalid_argument("initramfs: \"" + std::string(path) + "\" is not a path inside the root");
    if (part.size() == rest.size()) return ok();
  }
}

/// Writes entries in one fixed order with fixed owners and times, so that equal contents are equal bytes.
class CpioWriter {
 public:
  Status open() {
    if (archive_write_set_format_cpio_newc(archive_.get()) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(archive_.get(), 0) != ARCHIVE_OK ||
        archive_write_open(archive_.get(), &bytes_, nullptr, append, nullptr) != ARCHIVE_OK)
      return archive_error(archive_.get(), "archive");
    return ok();
  }

  Status add_directory(const std::string& path) {
    if (!directories_.insert(path).second) return ok();
    return add(path, S_IFDIR | 0755, {}, 0);
  }

  Status add_parents(const std::string& path) {
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1))
      KTSTR_TRY(add_directory(path.substr(0, slash)));
    return ok();
  }

  /// `device` (major:minor as makedev) matters for device nodes only.
  Status add(const std::string& path, mode_t mode, std::span<const std::byte> content, dev_t device) {
    const EntryPtr entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_mode(entry.get(), mode);
    archive_entry_set_ino(entry.get(), ++inode_);
    archive_entry_set_nlink(entry.get(), 1);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    if (device != 0) archive_entry_set_rdev(entry.get(), device);
    if (archive_write_header(archive_.get(), entry.get()) != ARCHIVE_OK)
      return archive_error(archive_.get(), path);
    const auto written = archive_write_data(archive_.get(), content.data(), content.size());
    if (written != static_cast<la_ssize_t>(content.size())) return archive_error(archive_.get(), path);
    return ok();
  }

  Result<std::vector<std::byte>> finish() {
    if (archive_write_close(archive_.get()) != ARCHIVE_OK) return archive_error(archive_.get(), "archive");
    return std::move(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
  ArchivePtr archive_{archive_write_new(), archive_write_free};
  std::set<std::string> directories_;
  la_int64_t inode_ = 0;
};

/// What the kernel needs before init has mounted anything: a console to open, and mount points.
Status add_skeleton(CpioWriter& writer) {
  for (const char* directory : {"dev", "proc", "sys", "tmp"}) KTSTR_TRY(writer.add_directory(directory));
  KTSTR_TRY(writer.add("dev/console", S_IFCHR | 0600, {}, makedev(5, 1)));
  return writer.add("dev/null", S_IFCHR | 0666, {}, makedev(1, 3));
}

Status add_file(CpioWriter& writer, const InitramfsFile& file) {
  KTSTR_TRY(writer.add_parents(file.path));
  const mode_t mode = S_IFREG | (file.mode & 07777);
  if (const auto* bytes = std::get_if<std::vector<std::byte>>(&file.content))
    return writer.add(file.path, mode, *bytes, 0);
  const auto& path = std::get<std::filesystem::path>(file.content);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    return Error{ErrorCode::kIo, path.string() + ": not a regular file"};
  const auto content = KTSTR_TRY(read_file(path, kLargestFile));
  if (content.truncated)
    return Error{ErrorCode::kOutOfRange, path.string() + " is too large for an initramfs"};
  return writer.add(file.path, mode, std::as_bytes(std::span(content.text)), 0);
}

}  // namespace

Result<std::vector<std::byte>> build_initramfs(std::vector<InitramfsFile> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  CpioWriter writer;
  KTSTR_TRY(writer.open());
  KTSTR_TRY(add_skeleton(writer));
  for (std::size_t i = 0; i < files.size(); ++i) {
    KTSTR_TRY(check_path(files[i].path));
    if (i > 0 && files[i].path == files[i - 1].path)
      return invalid_argument("initramfs: \"" + files[i].path + "\" is given twice");
    KTSTR_TRY(add_file(writer, files[i]));
  }
  return writer.finish();
}

Status write_initramfs(std::vector<InitramfsFile> files, const std::filesystem::path& path) {
  return write_new_file(path, KTSTR_TRY(build_initramfs(std::move(files))));
}

}  // namespace ktstr::vmm
