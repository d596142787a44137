#include "introspect/ctprof/compare/name_pattern.h"

namespace ktstr::introspect::ctprof {

std::string name_pattern(std::string_view name) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::string pattern;
  bool in_number = false;
  for (const char c : name) {
    if (!is_digit(c))
      pattern += c;
    else if (!in_number)
      pattern += "{N}";
    in_number = is_digit(c);
  }
  return pattern;
}

std::string NamePatterns::of(std::string_view name) const {
  auto pattern = name_pattern(name);
  const auto found = names_.find(pattern);
  return found != names_.end() && found->second.size() > 1 ? pattern : std::string(name);
}

}  // namespace ktstr::introspect::ctprof
