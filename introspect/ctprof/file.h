// Captures in files: JSON, compressed with zstd (docs/formats/ctprof.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// Errors: those of NewFile.
[[nodiscard]] Status write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot);

/// `note`: what was left out because a newer ktstr wrote it, in a line; empty when nothing was. Errors name
/// the file: kNotFound; kCorrupt, it is not a capture, cut off or damaged; kUnavailable, another major
/// version of the format.
[[nodiscard]] Result<Snapshot> read_snapshot(const std::filesystem::path& path, std::string* note = nullptr);

/// What a capture may become in memory, however small its file is: zstd makes a gigabyte of 100 KB. A thread
/// has some 120 values, of 3 KB as JSON.
struct SnapshotLimits {
  std::size_t json_bytes = std::size_t{1} << 30;  ///< some 300 000 threads
  std::size_t values = 40'000'000;
};

/// The same of bytes in memory. Errors, besides: kCorrupt for what is beyond the limits.
[[nodiscard]] Result<std::string> compress_snapshot(const Snapshot& snapshot);
[[nodiscard]] Result<Snapshot> parse_snapshot(std::string_view compressed, const SnapshotLimits& limits = {},
                                              std::string* note = nullptr);

}  // namespace ktstr::introspect::ctprof
