// CtprofCaptures: profiles of the guest's threads, fetched from its agent, checked and written to files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/report/artifacts.h"
#include "engine/run/guest.h"
#include "introspect/ctprof/file.h"

namespace ktstr::engine {

struct CtprofCaptureOptions {
  std::filesystem::path directory;  ///< made when the first capture is written; empty: the current one
  std::string scenario;             ///< what file names begin with
};

class CtprofCaptures {
 public:
  /// What is taken from a guest: some 20 000 threads.
  static constexpr introspect::ctprof::SnapshotLimits kLimits{.json_bytes = 64U << 20, .values = 4'000'000};

  /// `guest` and `reports`, to which each capture is added, must outlive it.
  CtprofCaptures(Guest& guest, CtprofCaptureOptions options, std::vector<CtprofReport>& reports)
      : guest_(guest), options_(std::move(options)), reports_(reports) {}

  /// Captures all threads into SCENARIO.TAG.ctprof.zst. What the guest sends is read as any capture is, so
  /// that only a whole one is written. Errors: those of Guest::ask; kCorrupt for what is no capture, is
  /// larger than a guest may send, or is not what was announced. A file that can't be written is a problem in
  /// the report.
  [[nodiscard]] Status capture(std::size_t step, const std::string& tag);

 private:
  [[nodiscard]] Result<std::string> fetch();
  [[nodiscard]] Result<std::string> fetch_part(std::uint64_t offset);
  void write(const introspect::ctprof::Snapshot& snapshot, CtprofReport& report) const;

  Guest& guest_;
  CtprofCaptureOptions options_;
  std::vector<CtprofReport>& reports_;
};

}  // namespace ktstr::engine
