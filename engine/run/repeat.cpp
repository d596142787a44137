#include "engine/run/repeat.h"

#include <fmt/format.h>

namespace ktstr::engine {
namespace {

/// A command that a shell takes as it is.
std::string quoted(const std::string& argument) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:+,=@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string text = "'";
  for (const char c : argument) c == '\'' ? text += "'\\''" : text += c;
  return text + "'";
}

}  // namespace

Result<RunReport> run_repeating(const RunReport& blank, const AttemptFunction& attempt) {
  constexpr std::size_t kMostAttempts = 2;
  std::vector<std::string> faults;
  while (true) {
    auto report = blank;
    auto fault = KTSTR_TRY(attempt(report));
    if (fault) faults.push_back(std::move(fault->message));
    report.emulator_faults = faults;
    if (!fault) return report;
    if (faults.size() < kMostAttempts) continue;
    report.reason = "the emulator failed " + std::to_string(faults.size()) + " times: " + faults.back();
    return report;
  }
}

std::string performance_arguments(const vmm::PerformanceOptions& options) {
  const bool all = options.dedicated_cpus;  // which --performance alone says
  std::string text = all ? " --performance" : "";
  if (options.pin_vcpus && !all) text += " --pin";
  if (options.realtime_priority && (!all || options.realtime_priority != vmm::kLowestRealtimePriority))
    text += fmt::format(" --realtime={}", *options.realtime_priority);
  if (options.halt_poll) text += " --halt-poll " + format_duration(*options.halt_poll);
  if (options.huge_pages && !all) text += " --hugepages";
  if (options.prefault && !all) text += " --prefault";
  return text;
}

std::string replay_command(const RunOptions& options, const std::string& kernel_release) {
  return fmt::format("ktstr run {} --kernel {} --seed {}{}{}", quoted(options.script),
                     quoted(options.kernel.value_or(kernel_release)), options.seed,
                     options.backend == vmm::Backend::kAuto
                         ? std::string()
                         : fmt::format(" --backend {}", enum_name(options.backend)),
                     performance_arguments(options.performance));
}

}  // namespace ktstr::engine
