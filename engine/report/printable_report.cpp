#include "engine/report/printable_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "engine/base/make_printable.h"

namespace ktstr::engine {
namespace {

template <class T>
constexpr bool is_bulk = std::is_same_v<T, std::optional<introspect::MonitorReport>> ||
                         std::is_same_v<T, std::vector<WorkerGroup>>;

void show_lines(std::optional<std::string>& shown, const std::optional<std::string>& text) {
  if (text) shown = printable_lines(*text, "");
}

constexpr std::size_t kMostOfACheck = 20;

struct Count {
  std::size_t all = 0, seen = 0;
};

/// No passage that is looked for has more lines.
constexpr std::size_t kLongestPassage = 100;

/// What two lines have in common when they are turns of one loop: the number of the verifier's instruction
/// ("12: (85) call ..." or "12: R0=..."), its jump ("from 5 to 7: R1=..."), or the whole line.
std::string_view key_of(std::string_view line) {
  const auto colon = line.find(':');
  const auto number = line.substr(0, colon);
  const bool is_trace = colon != std::string_view::npos && !number.empty() &&
                        (number.find_first_not_of("0123456789") == std::string_view::npos ||
                         (number.starts_with("from ") && number.find(" to ") != std::string_view::npos));
  return is_trace ? number : line;
}

std::string mark(std::size_t length, std::size_t repeats) {
  const auto what = length == 1 ? std::string("this line") : fmt::format("these {} lines", length);
  return repeats == 1 ? fmt::format("... {} once more", what)
                      : fmt::format("... {} {} times more", what, repeats);
}

class Collapser {
 public:
  explicit Collapser(std::span<const std::string> lines) : lines_(lines) {
    for (const auto& line : lines) keys_.push_back(key_of(line));
  }

  std::vector<std::string> run() {
    std::vector<std::string> shown;
    for (std::size_t at = 0; at < lines_.size();) {
      const auto [length, repeats] = passage_at(at);
      shown.insert(shown.end(), lines_.begin() + static_cast<std::ptrdiff_t>(at),
                   lines_.begin() + static_cast<std::ptrdiff_t>(at + length));
      if (repeats > 0) shown.push_back(mark(length, repeats));
      at += length * (1 + repeats);
    }
    return shown;
  }

 private:
  struct Passage {
    std::size_t length = 1;
    std::size_t repeats = 0;
  };

  /// The shortest passage that begins at a line and repeats; one that repeats once only if that spares a
  /// line.
  [[nodiscard]] Passage passage_at(std::size_t at) const {
    const auto longest = std::min(kLongestPassage, (keys_.size() - at) / 2);
    for (std::size_t length = 1; length <= longest; ++length) {
      const auto repeats = repeats_of(at, length);
      if (repeats > 0 && length * repeats > 1) return {length, repeats};
    }
    return {};
  }
  [[nodiscard]] std::size_t repeats_of(std::size_t at, std::size_t length) const {
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(at);
    const auto size = static_cast<std::ptrdiff_t>(length);
    std::size_t repeats = 0;
    for (auto next = begin + size; keys_.end() - next >= size && std::equal(begin, begin + size, next);
         next += size)
      ++repeats;
    return repeats;
  }

  std::span<const std::string> lines_;
  std::vector<std::string_view> keys_;
};

}  // namespace

RunReport printable_report(const RunReport& report) {
  RunReport shown;
  for_each_field<RunReport>([&](const auto& field) {
    auto& member = shown.*field.member;
    if constexpr (!is_bulk<std::remove_cvref_t<decltype(member)>>) {
      member = report.*field.member;
      make_printable(member);
    }
  });
  show_lines(shown.console_tail, report.console_tail);
  for (std::size_t i = 0; i < report.schedulers.size(); ++i)
    if (const auto& record = report.schedulers[i].exit_record)
      show_lines(shown.schedulers[i].exit_record->dump, record->dump);
  return shown;
}

std::vector<std::string> shown_failures(std::span<const Failure> failures) {
  std::map<std::string, Count> counts;
  for (const auto& failure : failures) ++counts[failure.check].all;
  std::vector<std::string> shown;
  for (const auto& failure : failures) {
    auto& [all, seen] = counts[failure.check];
    ++seen;
    if (seen == all && all > kMostOfACheck + 1)
      shown.push_back(
          fmt::format("... {} failures more of {} (--json has all)", all - kMostOfACheck - 1, failure.check));
    if (seen == all || seen <= kMostOfACheck) shown.push_back(failure.message);
  }
  return shown;
}

std::vector<std::string> with_loops_collapsed(std::span<const std::string> lines) {
  return Collapser(lines).run();
}

}  // namespace ktstr::engine
