#include "engine/report/scheduler_report.h"

#include <string_view>

namespace ktstr::engine {
namespace {

constexpr std::string_view kPrefix = "sched_ext: ";

/// `BPF scheduler "NAME" disabled (REASON)`, kernel/sched/ext.c: scx_disable_workfn().
std::optional<std::string> reason_in(std::string_view text) {
  constexpr std::string_view kDisabled = "\" disabled (";
  const auto at = text.find(kDisabled);
  if (!text.starts_with("BPF scheduler \"") || at == std::string_view::npos || !text.ends_with(')'))
    return std::nullopt;
  text.remove_prefix(at + kDisabled.size());
  return std::string(text.substr(0, text.size() - 1));
}

std::string_view scheduler_in(std::string_view text) {
  const auto begin = text.find('"') + 1;
  return text.substr(begin, text.find('"', begin) - begin);
}

}  // namespace

std::optional<SchedulerExitReport> exit_from_kernel_log(const std::vector<std::string>& lines) {
  std::optional<SchedulerExitReport> found;
  std::string message_prefix;
  for (std::string_view line : lines) {
    if (!line.starts_with(kPrefix)) {
      if (found && line.starts_with("  "))
        found->backtrace.emplace_back(line.substr(line.find_first_not_of(' ')));
      continue;
    }
    line.remove_prefix(kPrefix.size());
    if (auto reason = reason_in(line)) {
      found = SchedulerExitReport{.source = "kernel log", .reason = std::move(reason), .backtrace = {}};
      message_prefix = std::string(scheduler_in(line)) + ": ";
    } else if (found && !found->message && line.starts_with(message_prefix)) {
      found->message = std::string(line.substr(message_prefix.size()));
    }
  }
  return found;
}

}  // namespace ktstr::engine
