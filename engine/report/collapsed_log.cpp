#include "engine/report/collapsed_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace ktstr::engine {
namespace {

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

std::vector<std::string> with_loops_collapsed(std::span<const std::string> lines) {
  return Collapser(lines).run();
}

}  // namespace ktstr::engine
