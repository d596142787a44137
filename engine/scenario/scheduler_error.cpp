#include "engine/scenario/checks.h"

#include <regex.h>

#include <string_view>

namespace ktstr::engine {
namespace {

constexpr std::size_t kLongest = 256;
constexpr int kDeepest = 5;

bool is_repetition(char c) {
  return c == '*' || c == '+' || c == '?' || c == '{';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
/// "9", "1,99": what stands in braces, at most two digits a number.
bool is_small_range(std::string_view inside) {
  std::size_t digits = 0;
  for (const char c : inside) {
    digits = is_digit(c) ? digits + 1 : 0;
    if (digits > 2 || (digits == 0 && c != ',')) return false;
  }
  return true;
}

/// Why this POSIX extended expression is refused before the C library sees it; nullptr for one that may pass.
/// regcomp() recurses for each parenthesis, and makes copies of what "+" and braces repeat; regexec() tries
/// all ways to take back references. So one of a script may have 256 bytes, 5 parentheses inside each other,
/// one pair of braces with numbers up to 99, and no back references.
const char* costs_too_much(std::string_view expression) {
  if (expression.size() > kLongest) return "must be at most 256 bytes long";
  int depth = 0;
  int braces = 0;
  bool repeats = false;  // what stands before is a repetition
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '\\' && i + 1 < expression.size()) {
      if (is_digit(expression[++i])) return "may have no back references such as \\1";
      repeats = false;
      continue;
    }
    if (c == '[') {  // a "]" at the beginning is one of the set
      const auto end = expression.find(']', i + 2);
      if (end == std::string_view::npos) return nullptr;
      i = end;
      repeats = false;
      continue;
    }
    if (is_repetition(c) && repeats) return "may not repeat a repetition: no \"++\", no \"*+\"";
    if (c == '{') {
      const auto inside = expression.substr(i + 1, expression.find('}', i) - i - 1);
      if (++braces > 1 || !is_small_range(inside)) return "may have one repetition in braces, of at most 99";
      i += inside.size();
    }
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (depth > kDeepest) return "may have at most 5 parentheses inside each other";
    repeats = is_repetition(c) || c == '}';
  }
  return nullptr;
}

ReadStatus check_expression(const std::string& text, const Place& place) {
  if (text.empty()) return place.error("must not be empty");
  if (const auto* fault = costs_too_much(text)) return place.error(fault);
  regex_t expression;
  const int code = ::regcomp(&expression, text.c_str(), REG_EXTENDED | REG_NOSUB);
  if (code == 0) {
    ::regfree(&expression);
    return {};
  }
  char reason[128] = {};
  ::regerror(code, &expression, reason, sizeof reason);
  return place.error("is no regular expression: " + std::string(reason));
}

}  // namespace

ReadStatus check_scheduler_error(const Expectations& expect, const Place& place) {
  if (!expect.scheduler_error) return {};
  const auto& [contains, matches] = *expect.scheduler_error;
  const auto at = place.member("scheduler_error");
  ReadStatus status;
  if (contains && contains->empty()) status = at.member("contains").error("must not be empty");
  if (matches) add_error(status, check_expression(*matches, at.member("matches")));
  return status;
}

}  // namespace ktstr::engine
