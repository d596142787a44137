#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/parse/decode.h"
#include "introspect/ctprof/parse/task_files.h"
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

}  // namespace ktstr::introspect::ctprof
