// GuestDumps: the dumps of one guest whose kernel was found: on request, and by itself when a scheduler ends
// unasked.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/freeze/dump_recorder.h"
#include "engine/freeze/scheduler_watch.h"
#include "introspect/dump/dump_state.h"

namespace ktstr::engine {

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
