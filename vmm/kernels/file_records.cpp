#include "vmm/kernels/file_records.h"

#include <fmt/format.h>
#include <lzma.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>

#include "engine/base/durable_file.h"
#include "engine/base/mapped_file.h"
#include "engine/base/printable.h"
#include "engine/base/read_format.h"
#include "engine/base/write.h"

namespace ktstr::vmm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFile = "checksums.json";

std::int64_t nanoseconds(const timespec& time) {
  return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
}

Result<FileRecord> record_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return system_error("look at " + path.string());
  const auto file = KTSTR_TRY(MappedFile::open(path));
  return FileRecord{.name = path.filename().string(),
                    .bytes = file.bytes().size(),
                    .checksum = checksum(file.bytes()),
                    .inode = status.st_ino,
                    .ctime_ns = nanoseconds(status.st_ctim)};
}

bool is_untouched(const FileRecord& record, const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) == record.bytes &&
         status.st_ino == record.inode && nanoseconds(status.st_ctim) == record.ctime_ns;
}

/// Members that a newer ktstr added are left out and told.
Result<FileRecords> parse_records(const fs::path& path) {
  const auto file = KTSTR_TRY(MappedFile::open(path));
  const auto tree =
      KTSTR_TRY(parse_json({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}));
  const auto found = KTSTR_TRY(format_of(tree, "format", {1, 0}));
  FileRecords records;
  if (const auto note = KTSTR_TRY(read_format(tree, records, found, kFileRecordsFormat)); !note.empty())
    spdlog::warn("{}", printable(path.string() + ": " + note));
  records.format = kFileRecordsFormat.to_string();
  return records;
}

}  // namespace

std::string checksum(std::span<const std::byte> bytes) {
  return fmt::format("{:016x}",
                     lzma_crc64(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), 0));
}

Result<FileRecords> FileRecords::of(const fs::path& directory) {
  FileRecords records;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto name = entry.path().filename().string();
    if (!entry.is_regular_file(error) || name == kFile || name.starts_with('.')) continue;
    records.files.push_back(KTSTR_TRY(record_file(entry.path())));
  }
  if (error) return system_error("list " + directory.string(), error.value());
  std::ranges::sort(records.files, {}, &FileRecord::name);
  return records;
}

std::optional<FileRecords> FileRecords::load(const fs::path& directory) {
  auto records = parse_records(directory / kFile);
  return records ? std::optional(std::move(*records)) : std::nullopt;
}

Status FileRecords::save(const fs::path& directory) const {
  return write_new_file(directory / kFile, to_pretty_json(*this) + "\n");
}

FileDamage compare_files(const FileRecords& records, const fs::path& directory, CheckDepth depth) {
  FileDamage damage;
  for (const auto& record : records.files) {
    const auto path = directory / record.name;
    const bool untouched = is_untouched(record, path);
    if (untouched && depth == CheckDepth::kTouched) continue;
    const auto now = record_file(path);
    if (!now || now->bytes != record.bytes || now->checksum != record.checksum)
      damage.damaged.push_back(record.name);
    else if (!untouched)
      damage.touched = true;
  }
  return damage;
}

}  // namespace ktstr::vmm
