// PatternMatcher: Lua's patterns with a bound on the work that one match may take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::lua {

/// Takes account of steps, each about one character looked at; false when there are none left.
using SpendSteps = std::function<bool(std::uint64_t steps)>;

/// Where a pattern matched, in bytes from the beginning of the subject.
struct PatternMatch {
  struct Capture {
    std::size_t begin = 0;
    std::size_t size = 0;
    bool is_position = false;  ///< "()": only `begin` counts
  };
  std::size_t begin = 0;
  std::size_t end = 0;
  std::array<Capture, 32> captures{};
  std::size_t capture_count = 0;
};

/// LuaJIT's own matcher can run for hours inside one call, where neither a budget nor Ctrl-C reaches it.
/// This one has the same syntax (Lua 5.1, and %f and %g), counts its steps, and never recurses deeper than
/// 200.
class PatternMatcher {
 public:
  /// Both texts must outlive the matcher.
  PatternMatcher(std::string_view subject, std::string_view pattern, SpendSteps spend)
      : subject_(subject), pattern_(pattern), spend_(std::move(spend)) {}

  /// The first match that begins at `from` or later; nullopt when there is none. `anchor`: a leading "^" ties
  /// the match to `from`; without it the character is one like others. Errors: kInvalidArgument for a
  /// malformed pattern, kCancelled when the steps ran out.
  [[nodiscard]] Result<std::optional<PatternMatch>> find(std::size_t from, bool anchor);

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  enum class State { kOpen, kClosed, kPosition };
  struct Capture {
    std::size_t begin;
    std::size_t size;
    State state;
  };

  std::size_t match(std::size_t at, std::size_t p);
  std::size_t match_item(std::size_t at, std::size_t& p, bool& done);
  std::size_t expand_most(std::size_t at, std::size_t p, std::size_t end);
  std::size_t expand_least(std::size_t at, std::size_t p, std::size_t end);
  std::size_t open_capture(std::size_t at, std::size_t p, State state);
  std::size_t close_capture(std::size_t at, std::size_t p);
  std::size_t match_balanced(std::size_t at, std::size_t p);
  std::size_t match_back_reference(std::size_t at, char digit);
  std::size_t match_frontier(std::size_t at, std::size_t& p);
  std::size_t item_end(std::size_t p);
  bool is_single(std::size_t at, std::size_t p, std::size_t end) const;
  bool is_in_set(char c, std::size_t p, std::size_t last) const;

  std::size_t fail(const char* reason);
  bool step(std::uint64_t count = 1);
  bool is_over() const { return error_.has_value(); }
  Result<std::optional<PatternMatch>> outcome(std::size_t begin, std::size_t end);

  std::string_view subject_;
  std::string_view pattern_;
  SpendSteps spend_;
  std::uint64_t steps_ = 0;  ///< since spend_ was told
  std::array<Capture, 32> captures_{};
  std::size_t level_ = 0;
  int depth_ = 0;
  std::optional<Error> error_;
};

}  // namespace ktstr::lua
