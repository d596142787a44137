// status, io and sched.
#include <algorithm>

#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/parse/decode.h"
#include "introspect/ctprof/parse/keyed_lines.h"
#include "introspect/ctprof/parse/task_files.h"

namespace ktstr::introspect::ctprof {
namespace {

void parse_keyed(SourceFile file, std::string_view text, ThreadRecord& record) {
  const auto& metrics = SourceIndex::of(file);
  for_each_keyed_line(text, [&](std::string_view key, std::string_view value) {
    if (const auto* metric = metrics.find(key)) assign(record, *metric, value);
  });
}

/// What follows the rule of dashes below the first line, which holds the task's name: any bytes, newlines
/// too. No name is long enough to hold such a rule.
std::string_view below_rule(std::string_view text) {
  constexpr std::size_t kLongerThanAnyName = 32;
  while (const auto line = next_line(text))
    if (line->size() >= kLongerThanAnyName && line->find_first_not_of('-') == std::string_view::npos)
      return text;
  return {};
}

/// The kernel counts uninterruptible sleep as sleep too (__update_stats_enqueue_sleeper of
/// kernel/sched/stats.c). Read between its two additions, there can be more of the part than of the whole.
void leave_voluntary_sleep(ThreadRecord& record) {
  auto& sleep = record.voluntary_sleep_ns;
  if (!sleep || !record.block_sum) {
    sleep.reset();
    return;
  }
  sleep->value -= std::min(sleep->value, record.block_sum->value);
}

}  // namespace

void parse_status(std::string_view text, ThreadRecord& record) {
  parse_keyed(SourceFile::kStatus, text, record);
}

void parse_io(std::string_view text, ThreadRecord& record) {
  parse_keyed(SourceFile::kIo, text, record);
}

std::uint64_t parse_sched(std::string_view text, ThreadRecord& record) {
  constexpr std::string_view kOldPrefix = "se.statistics.";  // kernels before 5.16
  const auto& metrics = SourceIndex::of(SourceFile::kSched);
  std::uint64_t negative = 0;
  for_each_keyed_line(below_rule(text), [&](std::string_view key, std::string_view value) {
    if (key.starts_with(kOldPrefix)) key.remove_prefix(kOldPrefix.size());
    const auto* metric = metrics.find(key);
    if (!metric) return;
    assign(record, *metric, value);
    if (metric->source.decode == Decode::kDotted && value.starts_with('-')) ++negative;
  });
  leave_voluntary_sleep(record);
  return negative;
}

}  // namespace ktstr::introspect::ctprof
