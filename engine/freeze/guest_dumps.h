// GuestDumps: the dumps of one guest whose kernel was found: on request, and by itself when a scheduler ends
// unasked.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/freeze/freeze_coordinator.h"
#include "engine/freeze/scheduler_watch.h"
#include "engine/report/artifacts.h"
#include "introspect/dump/dump_state.h"

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

/// Takes the dumps of one run, writes them to files and remembers them. Safe from several threads. Writing
/// happens after the guest has been set going again.
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

  /// "STEM.NAME.json" (artifacts.h).
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

struct GuestDumpOptions {
  DumpRecorderOptions recorder;
  FreezeOptions freeze{};
  /// The event timeline so far, asked for before the guest is stopped.
  std::function<std::vector<introspect::EventCounterSample>()> timeline{};
  /// Told of a scheduler's end before its dump is taken, from the watch's thread.
  std::function<void(const SchedulerEnd&)> on_scheduler_end{};
};

/// Safe from several threads. The machine and the kernel must outlive it. Layouts are resolved when it is
/// made, so that the guest need not stand still for that.
class GuestDumps {
 public:
  GuestDumps(vmm::Machine& machine, const introspect::Kernel& kernel, GuestDumpOptions options);
  GuestDumps(const GuestDumps&) = delete;
  GuestDumps& operator=(const GuestDumps&) = delete;

  /// Takes a dump now. Errors: DumpRecorder::take().
  [[nodiscard]] Status capture_snapshot(const std::string& name);

  /// Takes a dump of the memory that a panicked guest has left; no other is taken afterwards. `line`: the
  /// kernel's own.
  [[nodiscard]] Status capture_panic(const std::string& line);

  /// While what is returned lives, schedulers end because somebody wants them to. nullptr: the kernel has no
  /// sched_ext.
  [[nodiscard]] std::unique_ptr<SchedulerWatch::Expected> expect_scheduler_end();

  /// Takes no dumps by itself any more. Before the guest is shut down.
  void stop_watching() { watch_.reset(); }

  /// What was taken since the last call, oldest first.
  [[nodiscard]] std::vector<TakenDump> collect() { return recorder_.collect(); }
  /// Why a dump failed to be taken, if one did: the guest may stand still since.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  [[nodiscard]] FreezeCoordinator::Render capture(
      const std::vector<std::optional<introspect::VcpuRegSnapshot>>& registers,
      FreezeCoordinator::Clock::time_point deadline) const;
  [[nodiscard]] std::optional<introspect::ScxExitKind> look() const;
  [[nodiscard]] Status take(introspect::DumpCause cause, const std::string& name, const std::string& detail);
  void start_watching();

  const introspect::Kernel& kernel_;
  std::function<std::vector<introspect::EventCounterSample>()> timeline_source_;
  std::function<void(const SchedulerEnd&)> on_scheduler_end_;
  introspect::DumpReaders readers_;
  std::mutex take_mutex_;
  std::vector<introspect::EventCounterSample> timeline_;  ///< of the dump being taken
  FreezeCoordinator coordinator_;
  DumpRecorder recorder_;
  mutable std::mutex failure_mutex_;
  std::optional<Error> failure_;
  std::unique_ptr<SchedulerWatch> watch_;  ///< last: it uses everything above
};

}  // namespace ktstr::engine
