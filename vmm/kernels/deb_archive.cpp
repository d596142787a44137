#include "vmm/kernels/deb_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "engine/base/durable_file.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

using Archive = std::unique_ptr<archive, decltype(&archive_read_free)>;

Archive new_reader() {
  return {archive_read_new(), &archive_read_free};
}

Error damaged(archive* reader) {
  const char* reason = archive_error_string(reader);
  return corrupted(fmt::format("damaged package: {}", reason ? reason : "unknown reason"));
}

/// Feeds one archive with the current member of another.
struct MemberSource {
  archive* outer;
  std::array<char, 65536> buffer;

  static la_ssize_t read(archive* inner, void* self, const void** bytes) {
    auto* source = static_cast<MemberSource*>(self);
    *bytes = source->buffer.data();
    const la_ssize_t size = archive_read_data(source->outer, source->buffer.data(), source->buffer.size());
    if (size < 0) archive_set_error(inner, EIO, "%s", archive_error_string(source->outer));
    return size < 0 ? -1 : size;
  }
};

/// The header of the next member whose name `wanted` accepts; nullptr at the end.
template <class Wanted>
Result<archive_entry*> next_member(archive* reader, Wanted wanted) {
  archive_entry* entry = nullptr;
  int result;
  while ((result = archive_read_next_header(reader, &entry)) == ARCHIVE_OK || result == ARCHIVE_WARN) {
    const char* name = archive_entry_pathname(entry);
    if (name && archive_entry_filetype(entry) == AE_IFREG && wanted(std::string_view(name))) return entry;
  }
  if (result != ARCHIVE_EOF) return damaged(reader);
  return static_cast<archive_entry*>(nullptr);
}

Result<std::vector<std::byte>> read_member(archive* reader) {
  std::vector<std::byte> bytes;
  std::array<std::byte, 65536> buffer;
  for (;;) {
    const la_ssize_t size = archive_read_data(reader, buffer.data(), buffer.size());
    if (size < 0) return damaged(reader);
    if (size == 0) return bytes;
    if (bytes.size() + static_cast<std::size_t>(size) > kMaxFileBytes)
      return corrupted("damaged package: a kernel file beyond all measure");
    bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + size);
  }
}

/// Where packages have had the files: /boot up to 6.18, /usr/lib/modules since.
struct KnownNames {
  std::vector<std::string> images, configs;

  explicit KnownNames(std::string_view release)
      : images{fmt::format("usr/lib/modules/{}/vmlinuz.unsigned", release),
               fmt::format("usr/lib/modules/{}/vmlinuz", release), fmt::format("boot/vmlinuz-{}", release)},
        configs{fmt::format("usr/lib/modules/{}/config", release), fmt::format("boot/config-{}", release)} {}

  static bool contains(const std::vector<std::string>& names, std::string_view name) {
    if (name.starts_with("./")) name.remove_prefix(2);
    return std::find(names.begin(), names.end(), name) != names.end();
  }
};

Result<KernelFiles> unpack_data(archive* data, const KnownNames& names, const fs::path& into) {
  KernelFiles files;
  for (;;) {
    const auto wanted = [&](std::string_view name) {
      return KnownNames::contains(names.images, name) || KnownNames::contains(names.configs, name);
    };
    archive_entry* member = KTSTR_TRY(next_member(data, wanted));
    if (!member) return files;
    const bool is_image = KnownNames::contains(names.images, archive_entry_pathname(member));
    const auto bytes = KTSTR_TRY(read_member(data));
    const fs::path path = into / (is_image ? "vmlinuz" : "config");
    KTSTR_TRY(write_new_file(path, std::span<const std::byte>(bytes)));
    (is_image ? files.image : files.config) = path;
  }
}

}  // namespace

Result<KernelFiles> unpack_kernel(const fs::path& deb, std::string_view release, const fs::path& into) {
  const Archive package = new_reader();
  archive_read_support_format_ar(package.get());
  if (archive_read_open_filename(package.get(), deb.c_str(), 65536) != ARCHIVE_OK)
    return damaged(package.get());
  const auto is_data = [](std::string_view name) { return name.starts_with("data.tar"); };
  archive_entry* member = KTSTR_TRY(next_member(package.get(), is_data));
  if (!member) return corrupted("damaged package: no data.tar");

  const Archive data = new_reader();
  archive_read_support_format_tar(data.get());
  archive_read_support_filter_xz(data.get());
  archive_read_support_filter_zstd(data.get());
  archive_read_support_filter_gzip(data.get());
  const auto source = std::make_unique<MemberSource>(MemberSource{package.get(), {}});
  if (archive_read_open(data.get(), source.get(), nullptr, &MemberSource::read, nullptr) != ARCHIVE_OK)
    return damaged(data.get());
  return unpack_data(data.get(), KnownNames(release), into);
}

}  // namespace ktstr::vmm
