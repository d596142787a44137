// run_scenario: one scenario on one kernel, from boot to verdict.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/report/run_report.h"
#include "engine/run/booted_guests.h"
#include "engine/run/progress.h"
#include "engine/scenario/scenario.h"
#include "introspect/dump/dump.h"
#include "vmm/backend.h"
#include "vmm/kernels/file_lock.h"

namespace ktstr::engine {

struct RunOptions {
  std::optional<std::string> kernel{};                  ///< PATH, VERSION or PREFIX; wins over the scenario's
  std::optional<std::filesystem::path> kernel_cache{};  ///< by default where KernelStore looks
  vmm::Notice notice{};                                 ///< told what of the cache keeps the user waiting
  vmm::Backend backend = vmm::Backend::kAuto;
  vmm::PerformanceOptions performance{};
  std::uint64_t seed = 1;
  std::optional<ToolReport> ktstr{};           ///< for the report: this build
  std::optional<ScriptReport> script_files{};  ///< for the report: what the scenario was read from
  std::string script{};                        ///< the scenario's file, for the command that repeats the run
  std::filesystem::path
      dump_dir{};  ///< where dumps and captures are written; the current directory when empty
  std::filesystem::path console_log{};  ///< the serial console is appended here; none when empty
  /// From the machine's start to the agent's hello; default_boot_timeout() when absent.
  std::optional<Duration> boot_timeout{};
  /// Called when a stage begins and about ten times a second, from several threads, one call at a time. Must
  /// not block.
  ProgressCallback progress{};
  /// The scenario's check hook: failures to add. Called in the caller's thread, with the judged report.
  std::function<Result<std::vector<std::string>>(const RunReport&)> check{};
  /// The scenario's on_snapshot hook: failures to add. Called in the caller's thread, between two ops or when
  /// the steps are over, while the guest runs.
  std::function<Result<std::vector<std::string>>(const introspect::FailureDump&)> on_snapshot{};
  /// Guests that earlier runs booted and later ones go on from; every run boots when null. Outlives the run.
  BootedGuests* booted_guests = nullptr;
  int stop_fd = -1;  ///< readable when the user wants to stop (Interrupt::stop_fd())
};

/// 60 s and 5 s for each CPU: several times what emulation takes on a busy host.
[[nodiscard]] Duration default_boot_timeout(const vmm::Topology& topology);

/// What a run of the scenario boots, for BootedGuests; nullopt for a scenario that is skipped without a boot.
/// Errors: those of run_scenario() that come before a machine is started.
[[nodiscard]] Result<std::optional<BootKey>> planned_boot(const Scenario& scenario,
                                                          const RunOptions& options);

/// Runs a checked scenario. Whatever the guest does ends in a report:
/// - fail: a check does not hold; the guest's kernel panicked, powered off by itself, or was never ready in
/// time; the agent
///   died, or refused an op. The first failure is the cause.
/// - inconclusive: the emulator ended (killed, crashed), or the run queues could not be read.
/// - skip: the kernel lacks what the scenario needs; nothing was booted.
/// An emulator that is itself at fault (kEmulatorFailed) is named in the report and the run repeated from the
/// start, once; it is booted then. A guest that should have been forked and can't be is booted, and
/// machine.fork_problem says why.
///
/// Errors are the tool's or the user's: kCancelled when stop_fd became readable; no such kernel, no QEMU, a
/// topology that no machine expresses. In every case no process and no file of the run is left. Several runs
/// may go on at once, in one process or several.
[[nodiscard]] Result<RunReport> run_scenario(const Scenario& scenario, const RunOptions& options);

}  // namespace ktstr::engine
