#include "engine/report/scheduler_log.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "engine/base/system_names.h"
#include "engine/report/scheduler_report.h"

namespace ktstr::engine {
namespace {

using Lines = std::vector<std::string>;
using Line = Lines::const_iterator;

constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --";
constexpr std::string_view kEnd = "-- END PROG LOAD LOG --";
constexpr std::string_view kLibbpf = "libbpf: ";
constexpr std::string_view kFailed = "': failed to load: ";

bool contains(std::string_view line, std::string_view part) {
  return line.find(part) != std::string_view::npos;
}

/// Errors have been numbers ("-13") and are names ("-EACCES") since libbpf 1.6.
std::string error_of(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? errno_name(number) : std::string(text);
}

/// `libbpf: prog 'NAME': failed to load: -13`
std::optional<VerifierRefusal> end_of_refusal(std::string_view line) {
  constexpr std::string_view kProgram = "libbpf: prog '";
  const auto failed = line.find(kFailed);
  if (!line.starts_with(kProgram) || failed == std::string_view::npos) return std::nullopt;
  VerifierRefusal refusal;
  refusal.program = line.substr(kProgram.size(), failed - kProgram.size());
  refusal.error = error_of(line.substr(failed + kFailed.size()));
  return refusal;
}

/// Statistics that come after the verdict, and states of loops.
bool is_statistic(std::string_view line) {
  for (const std::string_view begin : {"processed ", "verification time ", "stack depth ", "insns processed",
                                       "cur state:", "old state:", "mark_precise:"})
    if (line.starts_with(begin)) return true;
  return false;
}

/// "12: (85) call bpf_get_prandom_u32#7", "12: R0=scalar()", "from 5 to 7: R1=ctx()".
bool is_trace(std::string_view line) {
  if (line.starts_with("from ") && contains(line, " to ")) return true;
  const auto digits = line.find_first_not_of("0123456789");
  return digits != 0 && digits != std::string_view::npos && line.substr(digits).starts_with(':');
}

/// "; if (*p)  @ main.bpf.c:12"
std::optional<std::string> source_of(std::string_view line) {
  const auto at = line.rfind(" @ ");
  if (!line.starts_with(';') || at == std::string_view::npos) return std::nullopt;
  return std::string(line.substr(at + 3));
}

/// Kernel 7.3 explains the failure at length below the verifier's word: where that begins, or `end`.
Line explanation_in(Line begin, Line end) {
  const auto is_title = [](const std::string& line) { return line.starts_with("Verification failed: "); };
  return std::find_if(begin, end, is_title);
}

/// What the verifier's lines in [begin, end) say at their end.
void read_verifier_log(Line begin, Line end, VerifierRefusal& refusal) {
  end = explanation_in(begin, end);
  for (auto line = end; line != begin;) {
    --line;
    if (!refusal.message && !line->empty() && !line->starts_with(';') && !is_statistic(*line) &&
        !is_trace(*line))
      refusal.message = *line;
    if (auto source = source_of(*line)) {
      refusal.source = std::move(source);
      return;
    }
  }
}

/// The most a message may have in a first line.
constexpr std::size_t kLongestMessage = 300;

std::string to_text(const VerifierRefusal& refusal) {
  auto text = "the verifier refused its program " + refusal.program;
  if (refusal.error) text += " (" + *refusal.error + ")";
  if (refusal.source) text += " at " + *refusal.source;
  if (refusal.message) text += ": " + refusal.message->substr(0, kLongestMessage);
  return text;
}

/// What follows from the failure that was told before.
bool is_consequence(std::string_view line) {
  return contains(line, "libbpf: failed to load") || contains(line, "libbpf: failed to auto-attach");
}

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

std::optional<VerifierRefusal> verifier_refusal(const Lines& output) {
  for (auto line = output.end(); line != output.begin();) {
    --line;
    auto refusal = end_of_refusal(*line);
    if (!refusal) continue;
    const auto is_end = [](const std::string& text) { return contains(text, kEnd); };
    const auto is_begin = [](const std::string& text) { return contains(text, kBegin); };
    const auto end = std::find_if(std::make_reverse_iterator(line), output.rend(), is_end);
    if (end != output.rend()) {
      const auto begin = std::find_if(end, output.rend(), is_begin);
      read_verifier_log(begin.base(), std::prev(end.base()), *refusal);
    }
    return refusal;
  }
  return std::nullopt;
}

std::optional<std::string> load_failure(const Lines& output) {
  if (const auto refusal = verifier_refusal(output)) return to_text(*refusal);
  const auto told = std::find_if(output.rbegin(), output.rend(), [](const std::string& line) {
    return line.starts_with(kLibbpf) && !is_consequence(line);
  });
  if (told == output.rend()) return std::nullopt;
  return "\"" + told->substr(0, kLongestMessage) + "\"";
}

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
