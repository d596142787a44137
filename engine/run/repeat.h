// Repeating a run: ktstr itself does when the emulator spoiled it, once, from the start, and never silently;
// a person does with a command.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "engine/base/result.h"
#include "engine/run/runner.h"

namespace ktstr::engine {

/// The emulator, not the guest, spoiled an attempt; the message says how.
struct EmulatorFault {
  std::string message;
};

/// Fills a report that has its constant parts; a fault may leave it half filled. Errors end the run.
using AttemptFunction = std::function<Result<std::optional<EmulatorFault>>(RunReport&)>;

/// Attempts, each on a copy of `blank`, until one was not spoiled, two at the most. All faults are in
/// emulator_faults; when the last attempt was spoiled too, that is the reason for being inconclusive, and the
/// report is what it left.
[[nodiscard]] Result<RunReport> run_repeating(const RunReport& blank, const AttemptFunction& attempt);

/// What `ktstr run` was told of a machine's performance, as arguments that say it again. Each behind a space:
/// " --pin --prefault"; empty for none.
[[nodiscard]] std::string performance_arguments(const vmm::PerformanceOptions& options);

/// The command that repeats a run, for a shell.
[[nodiscard]] std::string replay_command(const RunOptions& options, const std::string& kernel_release);

}  // namespace ktstr::engine
