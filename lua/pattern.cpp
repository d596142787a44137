#include "lua/pattern.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

namespace ktstr::lua {
namespace {

constexpr char kEscape = '%';
constexpr int kDeepestPattern = 200;
constexpr std::uint64_t kStepsAtOnce = 4096;

struct CharacterClass {
  char letter;
  int (*has)(int);
};
constexpr CharacterClass kClasses[] = {{'a', &::isalpha},
                                       {'c', &::iscntrl},
                                       {'d', &::isdigit},
                                       {'g', &::isgraph},
                                       {'l', &::islower},
                                       {'p', &::ispunct},
                                       {'s', &::isspace},
                                       {'u', &::isupper},
                                       {'w', &::isalnum},
                                       {'x', &::isxdigit},
                                       {'z', [](int c) { return c == 0 ? 1 : 0; }}};

bool is_of_class(unsigned char c, unsigned char name) {
  const auto* found =
      std::ranges::find(kClasses, static_cast<char>(std::tolower(name)), &CharacterClass::letter);
  if (found == std::end(kClasses)) return name == c;
  return (found->has(c) != 0) != (std::isupper(name) != 0);
}

bool is_class(char c, char name) {
  return is_of_class(static_cast<unsigned char>(c), static_cast<unsigned char>(name));
}

}  // namespace

Result<std::optional<PatternMatch>> PatternMatcher::find(std::size_t from, bool anchor) {
  const bool anchored = anchor && pattern_.starts_with('^');
  for (std::size_t at = from; at <= subject_.size(); ++at) {
    level_ = 0;
    depth_ = 0;
    if (!step()) break;
    const auto end = match(at, anchored ? 1 : 0);
    if (is_over()) break;
    if (end != kNone) return outcome(at, end);
    if (anchored) break;
  }
  if (!is_over()) spend_(steps_);
  if (error_) return *error_;
  return std::optional<PatternMatch>();
}

Result<std::optional<PatternMatch>> PatternMatcher::outcome(std::size_t begin, std::size_t end) {
  spend_(std::exchange(steps_, 0));
  PatternMatch found{begin, end, {}, level_};
  for (std::size_t i = 0; i < level_; ++i) {
    const auto& capture = captures_[i];
    if (capture.state == State::kOpen) return Error{ErrorCode::kInvalidArgument, "unfinished capture"};
    found.captures[i] = {capture.begin, capture.size, capture.state == State::kPosition};
  }
  return std::optional(found);
}

std::size_t PatternMatcher::fail(const char* reason) {
  if (!error_) error_ = Error{ErrorCode::kInvalidArgument, reason};
  return kNone;
}

bool PatternMatcher::step(std::uint64_t count) {
  steps_ += count;
  if (steps_ < kStepsAtOnce || is_over()) return !is_over();
  if (!spend_(std::exchange(steps_, 0))) error_ = Error{ErrorCode::kCancelled, "no steps are left"};
  return !is_over();
}

/// The end of the match of the pattern from `p` on at `at`, or kNone.
std::size_t PatternMatcher::match(std::size_t at, std::size_t p) {
  if (depth_ >= kDeepestPattern) return fail("pattern too complex");
  ++depth_;
  bool done = false;
  while (!done && at != kNone) {
    if (!step()) at = kNone;
    if (at == kNone || p == pattern_.size()) break;
    at = match_item(at, p, done);
  }
  --depth_;
  return at;
}

/// One item of the pattern; moves `p` behind it. `done`: what is returned is the end of the whole match.
std::size_t PatternMatcher::match_item(std::size_t at, std::size_t& p, bool& done) {
  const char c = pattern_[p];
  const char next = p + 1 < pattern_.size() ? pattern_[p + 1] : '\0';
  done = true;
  if (c == '(')
    return next == ')' ? open_capture(at, p + 2, State::kPosition) : open_capture(at, p + 1, State::kOpen);
  if (c == ')') return close_capture(at, p + 1);
  if (c == '$' && p + 1 == pattern_.size()) return at == subject_.size() ? at : kNone;
  done = false;
  if (c == kEscape && next == 'b') {
    at = match_balanced(at, p + 2);
    p += 4;
    return at;
  }
  if (c == kEscape && next == 'f') return match_frontier(at, p);
  if (c == kEscape && std::isdigit(static_cast<unsigned char>(next))) {
    p += 2;
    return match_back_reference(at, next);
  }
  const auto end = item_end(p);
  if (end == kNone) return kNone;
  const char suffix = end < pattern_.size() ? pattern_[end] : '\0';
  done = suffix == '*' || suffix == '+' || suffix == '-';
  if (suffix == '*') return expand_most(at, p, end);
  if (suffix == '-') return expand_least(at, p, end);
  const bool fits = is_single(at, p, end);
  if (suffix == '+') return fits ? expand_most(at + 1, p, end) : kNone;
  if (suffix == '?') {
    const auto with = fits ? match(at + 1, end + 1) : kNone;
    done = with != kNone || is_over();
    p = end + 1;
    return done ? with : at;
  }
  p = end;
  return fits ? at + 1 : kNone;
}

std::size_t PatternMatcher::expand_most(std::size_t at, std::size_t p, std::size_t end) {
  std::size_t count = 0;
  while (step(1 + (end - p) / 8) && is_single(at + count, p, end)) ++count;
  for (;; --count) {
    if (is_over()) return kNone;
    const auto found = match(at + count, end + 1);
    if (found != kNone || count == 0) return found;
  }
}

std::size_t PatternMatcher::expand_least(std::size_t at, std::size_t p, std::size_t end) {
  for (;; ++at) {
    const auto found = match(at, end + 1);
    if (found != kNone || !step(1 + (end - p) / 8)) return found;
    if (!is_single(at, p, end)) return kNone;
  }
}

std::size_t PatternMatcher::open_capture(std::size_t at, std::size_t p, State state) {
  if (level_ >= captures_.size()) return fail("too many captures");
  captures_[level_++] = {at, 0, state};
  const auto found = match(at, p);
  if (found == kNone) --level_;
  return found;
}

std::size_t PatternMatcher::close_capture(std::size_t at, std::size_t p) {
  auto level = level_;
  while (level > 0 && captures_[level - 1].state != State::kOpen) --level;
  if (level == 0) return fail("invalid pattern capture");
  auto& capture = captures_[level - 1];
  capture.size = at - capture.begin;
  capture.state = State::kClosed;
  const auto found = match(at, p);
  if (found == kNone) capture.state = State::kOpen;
  return found;
}

/// "%bxy": `p` is at the x.
std::size_t PatternMatcher::match_balanced(std::size_t at, std::size_t p) {
  if (p + 1 >= pattern_.size()) return fail("unbalanced pattern: %b needs two characters");
  if (at >= subject_.size() || subject_[at] != pattern_[p]) return kNone;
  std::size_t open = 1;
  for (auto i = at + 1; i < subject_.size() && step(); ++i) {
    if (subject_[i] == pattern_[p + 1]) {
      if (--open == 0) return i + 1;
    } else if (subject_[i] == pattern_[p]) {
      ++open;
    }
  }
  return kNone;
}

std::size_t PatternMatcher::match_back_reference(std::size_t at, char digit) {
  const auto index = static_cast<std::size_t>(digit - '1');
  if (digit == '0' || index >= level_ || captures_[index].state == State::kOpen)
    return fail("invalid capture index");
  const auto text = subject_.substr(captures_[index].begin, captures_[index].size);
  if (!step(text.size() / 16)) return kNone;
  return subject_.substr(at).starts_with(text) ? at + text.size() : kNone;
}

/// "%f[set]": the former character is not in the set, and this one is.
std::size_t PatternMatcher::match_frontier(std::size_t at, std::size_t& p) {
  p += 2;
  if (p >= pattern_.size() || pattern_[p] != '[') return fail("missing '[' after '%f' in pattern");
  const auto end = item_end(p);
  if (end == kNone) return kNone;
  const char before = at == 0 ? '\0' : subject_[at - 1];
  const char here = at < subject_.size() ? subject_[at] : '\0';
  const bool fits = !is_in_set(before, p, end - 1) && is_in_set(here, p, end - 1);
  p = end;
  return fits ? at : kNone;
}

/// Behind the single character, class or set at `p`.
std::size_t PatternMatcher::item_end(std::size_t p) {
  const char c = pattern_[p++];
  if (c == kEscape) return p < pattern_.size() ? p + 1 : fail("malformed pattern (ends with '%')");
  if (c != '[') return p;
  const auto begin = p;
  if (p < pattern_.size() && pattern_[p] == '^') ++p;
  do {  // a "]" at the beginning is one of the set
    if (p >= pattern_.size()) return fail("malformed pattern (missing ']')");
    if (pattern_[p++] == kEscape) ++p;
  } while (p >= pattern_.size() || pattern_[p] != ']');
  return step((p - begin) / 8) ? p + 1 : kNone;
}

bool PatternMatcher::is_single(std::size_t at, std::size_t p, std::size_t end) const {
  if (at >= subject_.size()) return false;
  const char c = subject_[at];
  if (pattern_[p] == '.') return true;
  if (pattern_[p] == kEscape) return is_class(c, pattern_[p + 1]);
  if (pattern_[p] == '[') return is_in_set(c, p, end - 1);
  return pattern_[p] == c;
}

/// `p` is at the "[", `last` at the "]".
bool PatternMatcher::is_in_set(char c, std::size_t p, std::size_t last) const {
  const auto byte = [](char value) { return static_cast<unsigned char>(value); };
  const bool wanted = pattern_[p + 1] != '^';
  if (!wanted) ++p;
  while (++p < last) {
    if (pattern_[p] == kEscape) {
      if (is_class(c, pattern_[++p])) return wanted;
    } else if (pattern_[p + 1] == '-' && p + 2 < last) {
      if (byte(pattern_[p]) <= byte(c) && byte(c) <= byte(pattern_[p + 2])) return wanted;
      p += 2;
    } else if (pattern_[p] == c) {
      return wanted;
    }
  }
  return !wanted;
}

}  // namespace ktstr::lua
