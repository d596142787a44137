// FileRecords: what the files of a cache entry were when they were last read and found right.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/result.h"

namespace ktstr::vmm {

/// One file. While size, inode and change time are as recorded nobody has written to it: whoever writes,
/// whatever times he sets, changes ctime. A copy of the cache has others, and is read once.
struct FileRecord {
  std::string name;
  std::uint64_t bytes = 0;
  std::string checksum;
  std::uint64_t inode = 0;
  std::int64_t ctime_ns = 0;
};

struct FileRecords {
  std::vector<FileRecord> files;

  /// Reads all regular files of `directory` but hidden ones and the records themselves. Errors: kIo.
  [[nodiscard]] static Result<FileRecords> of(const std::filesystem::path& directory);
  /// What was saved there; nullopt when nothing was, or nothing that can be read.
  [[nodiscard]] static std::optional<FileRecords> load(const std::filesystem::path& directory);
  /// In one step. Precondition: nobody else saves there. Errors: kIo.
  [[nodiscard]] Status save(const std::filesystem::path& directory) const;
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

namespace ktstr {

template <>
inline constexpr auto describe<vmm::FileRecord> = record<vmm::FileRecord>(
    "FileRecord", "one file of a cached kernel", field("name", &vmm::FileRecord::name, "its name"),
    field("bytes", &vmm::FileRecord::bytes, "its size"),
    field("checksum", &vmm::FileRecord::checksum, "CRC-64 (xz) of its bytes, hexadecimal"),
    field("inode", &vmm::FileRecord::inode, "its inode when it was last read"),
    field("ctime_ns", &vmm::FileRecord::ctime_ns, "its change time then, ns since 1970"));

template <>
inline constexpr auto describe<vmm::FileRecords> =
    record<vmm::FileRecords>("FileRecords", "the files of a cached kernel: checksums.json of its entry",
                             field("files", &vmm::FileRecords::files, "each of them"));

}  // namespace ktstr
