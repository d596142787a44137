// FileRecords: what the files of a cache entry were when they were last read and found right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/format_version.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// CRC-64 (xz) in hexadecimal. Against damage, not against forgery: who can write to the cache owns the
/// kernels in it.
[[nodiscard]] std::string checksum(std::span<const std::byte> bytes);

/// One file. While size, inode and change time are as recorded nobody has written to it: whoever writes,
/// whatever times he sets, changes ctime. A copy of the cache has others, and is read once.
struct FileRecord {
  std::string name;
  std::uint64_t bytes = 0;
  std::string checksum;
  std::uint64_t inode = 0;
  std::int64_t ctime_ns = 0;

  static consteval auto describe() {
    using T = FileRecord;
    return record("one file of a cached kernel", field<&T::name>("its name"), field<&T::bytes>("its size"),
                  field<&T::checksum>("CRC-64 (xz) of its bytes, hexadecimal"),
                  field<&T::inode>("its inode when it was last read"),
                  field<&T::ctime_ns>("its change time then, ns since 1970"));
  }
};

/// Of checksums.json. Files without a version are 1.0.
inline constexpr FormatVersion kFileRecordsFormat{1, 1};

struct FileRecords {
  std::string format = kFileRecordsFormat.to_string();
  std::vector<FileRecord> files;

  /// Reads all regular files of `directory` but hidden ones and the records themselves. Errors: kIo.
  [[nodiscard]] static Result<FileRecords> of(const std::filesystem::path& directory);
  /// What was saved there; nullopt when nothing was, or nothing that can be read, another major version of
  /// the format included: it is made again then.
  [[nodiscard]] static std::optional<FileRecords> load(const std::filesystem::path& directory);
  /// In one step. Precondition: nobody else saves there. Errors: kIo.
  [[nodiscard]] Status save(const std::filesystem::path& directory) const;

  static consteval auto describe() {
    using T = FileRecords;
    return record("the files of a cached kernel: checksums.json of its entry",
                  field<&T::format>("version of this file's format, MAJOR.MINOR"),
                  field<&T::files>("each of them"));
  }
};

enum class CheckDepth {
  kTouched,  ///< reads files whose size, inode or change time is not as recorded
  kAll,      ///< reads all files
};

/// What is wrong with an entry's files, by their names.
struct FileDamage {
  std::vector<std::string> damaged;  ///< other bytes than recorded, or gone
  bool touched = false;              ///< a file that is right has another inode or change time
};

/// Compares with `directory`. A file that can't be read is damaged.
[[nodiscard]] FileDamage compare_files(const FileRecords& records, const std::filesystem::path& directory,
                                       CheckDepth depth);

}  // namespace ktstr::vmm
