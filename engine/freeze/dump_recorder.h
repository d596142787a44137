// DumpRecorder: takes the dumps of one run, writes them to files and remembers them.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "engine/freeze/freeze_coordinator.h"
#include "engine/report/dump_report.h"

namespace ktstr::engine {

struct DumpRecorderOptions {
  std::filesystem::path directory;  ///< made when the first dump is written; empty: the current one
  std::string stem;                 ///< what file names begin with: the scenario's name
  std::chrono::steady_clock::time_point epoch;  ///< the machine's start
};

/// A dump that was taken, and what the run's report says of it.
struct TakenDump {
  introspect::FailureDump dump;
  DumpReport report;
};

/// Safe from several threads. Writing happens after the guest has been set going again.
class DumpRecorder {
 public:
  /// `coordinator` must outlive it.
  DumpRecorder(FreezeCoordinator& coordinator, DumpRecorderOptions options)
      : coordinator_(coordinator), options_(std::move(options)) {}

  /// Takes a dump and writes it. Errors: the guest can't be stopped or set going again, so that the run is
  /// lost. A file that can't be written is a problem in the report, and the dump is kept all the same.
  [[nodiscard]] Status take(introspect::DumpCause cause, const std::string& name, const std::string& detail);

  /// What was taken since the last call, oldest first.
  [[nodiscard]] std::vector<TakenDump> collect();

  /// "STEM.NAME.json" (artifact_name.h).
  [[nodiscard]] static std::string file_name(const std::string& stem, const std::string& name);

 private:
  [[nodiscard]] std::filesystem::path next_path(introspect::DumpCause cause, const std::string& name);
  void write(const std::filesystem::path& path, TakenDump& taken) const;

  FreezeCoordinator& coordinator_;
  DumpRecorderOptions options_;
  std::mutex mutex_;
  std::map<std::string, int> used_;  ///< times that a name was used
  std::vector<TakenDump> taken_;
};

}  // namespace ktstr::engine
