// The report as a JSON file. The format is docs/formats/run-report.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "engine/report/run_report.h"

namespace ktstr::engine {

/// How much of the bulk a file gets. Beyond a cap, every n-th element is kept, and the report says so
/// (sample_stride, wake_latencies_total). Numbers computed from the whole are never affected.
struct JsonCaps {
  std::size_t samples = 1000;
  std::size_t wake_latencies = 1000;  ///< of each worker
};

/// The report with its bulk thinned out to the caps.
[[nodiscard]] RunReport thinned(RunReport report, const JsonCaps& caps);

/// Writes indented JSON. The file appears whole or not at all: it is written beside `path` under a name of
/// its own, synced and renamed. A terminal or pipe (/dev/stdout) is written to directly. Errors: kIo,
/// kNotFound, kInvalidArgument (a directory), with the path and the system's reason.
[[nodiscard]] Status write_json_file(const RunReport& report, const std::filesystem::path& path,
                                     const JsonCaps& caps = {});

/// Whether write_json_file() can write there, as far as can be known without writing. Errors as there.
[[nodiscard]] Status check_json_file(const std::filesystem::path& path);

/// Whether files can be made in the directory, which need not be there yet. Errors: kIo, with the directory
/// that is none or can't be written to.
[[nodiscard]] Status check_directory(const std::filesystem::path& directory);

/// Reads such a text back. `note`: what was left out because a newer ktstr wrote it, in a line; empty when
/// nothing was. Errors: kCorrupt; kUnavailable, another major version of the format.
[[nodiscard]] Result<RunReport> parse_json_report(std::string_view json, std::string* note = nullptr);
/// The same from a file. Errors besides: kIo, kNotFound.
[[nodiscard]] Result<RunReport> read_json_file(const std::filesystem::path& path,
                                               std::string* note = nullptr);

}  // namespace ktstr::engine
