// Captures in files: JSON, compressed with zstd (docs/formats/ctprof.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// Writes beside the final name and renames when all is on disk. Errors: kIo.
[[nodiscard]] Status write_snapshot(const std::filesystem::path& path, const Snapshot& snapshot);

/// `note`: what was left out because a newer ktstr wrote it, in a line; empty when nothing was. Errors name
/// the file: kNotFound; kCorrupt, it is not a capture, cut off or damaged; kUnavailable, another major
/// version of the format.
[[nodiscard]] Result<Snapshot> read_snapshot(const std::filesystem::path& path, std::string* note = nullptr);

/// More JSON is not read: what a machine at its limit of threads (4 million) would ever need is no reason to
/// fill the memory.
inline constexpr std::size_t kMaxJsonBytes = std::size_t{2} << 30;

/// The same of bytes in memory. Errors, besides: kCorrupt for more than `max_json_bytes` when decompressed.
[[nodiscard]] Result<std::string> compress_snapshot(const Snapshot& snapshot);
[[nodiscard]] Result<Snapshot> parse_snapshot(std::string_view compressed,
                                              std::size_t max_json_bytes = kMaxJsonBytes,
                                              std::string* note = nullptr);

}  // namespace ktstr::introspect::ctprof
