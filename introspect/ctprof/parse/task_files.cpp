#include "introspect/ctprof/parse/task_files.h"

#include <algorithm>

#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/parse/decode.h"
#include "introspect/ctprof/parse/text.h"

namespace ktstr::introspect::ctprof {
namespace {

// Ordinals of fs/proc/array.c, do_task_stat(), counted as proc(5) does.
constexpr std::uint16_t kFirstAfterName = 3;
constexpr std::uint16_t kFlags = 9;
constexpr std::uint16_t kStartTime = 22;
constexpr std::uint64_t kPfKthread = 0x00200000;

/// Calls take(ordinal, word) for each word from that ordinal on.
template <class Take>
void for_each_word(std::string_view text, std::uint16_t ordinal, Take take) {
  while (const auto word = next_word(text)) take(ordinal++, *word);
}

/// Gives the words to the metrics at those places.
class Assigner {
 public:
  Assigner(SourceFile file, ThreadRecord& record) : metrics_(SourceIndex::of(file).all()), record_(record) {}

  void take(std::uint16_t ordinal, std::string_view word) {
    while (!metrics_.empty() && metrics_.front()->source.place < ordinal) metrics_ = metrics_.subspan(1);
    if (!metrics_.empty() && metrics_.front()->source.place == ordinal)
      assign(record_, *metrics_.front(), word);
  }

 private:
  std::span<const Metric* const> metrics_;  ///< ascending by place
  ThreadRecord& record_;
};

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

StatFacts parse_stat(std::string_view text, ThreadRecord& record) {
  StatFacts facts;
  const auto name_end = text.rfind(')');  // the name may hold brackets, spaces and newlines of its own
  if (name_end == std::string_view::npos) return facts;
  Assigner metrics(SourceFile::kStat, record);
  for_each_word(text.substr(name_end + 1), kFirstAfterName,
                [&](std::uint16_t ordinal, std::string_view word) {
                  metrics.take(ordinal, word);
                  if (ordinal == kStartTime) record.start_time_clock_ticks = to_number<std::uint64_t>(word);
                  if (ordinal == kFlags)
                    if (const auto flags = to_number<std::uint64_t>(word))
                      facts.kernel_thread = (*flags & kPfKthread) != 0;
                });
  return facts;
}

void parse_schedstat(std::string_view text, ThreadRecord& record) {
  Assigner metrics(SourceFile::kSchedstat, record);
  for_each_word(text, 1, [&](std::uint16_t ordinal, std::string_view word) { metrics.take(ordinal, word); });
}

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

std::optional<std::map<std::string, std::uint64_t>> parse_smaps_rollup(std::string_view text) {
  constexpr std::string_view kUnit = " kB";
  std::map<std::string, std::uint64_t> kib;
  for_each_keyed_line(text, [&](std::string_view key, std::string_view value) {
    if (!value.ends_with(kUnit)) return;
    if (const auto number = to_number<std::uint64_t>(value.substr(0, value.size() - kUnit.size())))
      kib.insert_or_assign(to_utf8(key), *number);
  });
  return kib.empty() ? std::nullopt : std::optional(std::move(kib));
}

std::optional<std::string> parse_cgroup_path(std::string_view text) {
  constexpr std::string_view kUnified = "0::";
  while (const auto line = next_line(text))
    if (line->starts_with(kUnified)) return to_utf8(line->substr(kUnified.size()));
  return std::nullopt;
}

}  // namespace ktstr::introspect::ctprof
