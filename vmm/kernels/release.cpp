#include "vmm/kernels/release.h"

#include <algorithm>

namespace ktstr::vmm {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_candidate(std::string_view text) {
  return text.starts_with("-rc") || text.starts_with("~rc");
}

/// Takes the leading digits off `text`, without leading zeros.
std::string_view take_number(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const std::string_view number(text.begin(), end);
  text.remove_prefix(number.size());
  return number;
}

}  // namespace

std::weak_ordering compare_releases(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    if (is_candidate(a) != is_candidate(b))
      return is_candidate(a) ? std::weak_ordering::less : std::weak_ordering::greater;
    if (a.empty() || b.empty()) return a.size() <=> b.size();
    if (is_digit(a[0]) && is_digit(b[0])) {
      const std::string_view x = take_number(a), y = take_number(b);
      if (const auto order = x.size() <=> y.size(); order != 0) return order;
      if (const auto order = x <=> y; order != 0) return order;
    } else {
      if (a[0] != b[0]) return a[0] <=> b[0];
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return std::weak_ordering::equivalent;
}

bool names_release(std::string_view spec, std::string_view release) {
  if (spec.empty() || !release.starts_with(spec)) return false;
  if (spec.size() == release.size()) return true;
  return !is_word(spec.back()) || !is_word(release[spec.size()]);
}

std::string_view series_of(std::string_view release) {
  const auto first_dot = release.find('.');
  if (first_dot == std::string_view::npos) return release;
  const auto end =
      std::find_if_not(release.begin() + static_cast<std::ptrdiff_t>(first_dot) + 1, release.end(), is_digit);
  return {release.begin(), end};
}

}  // namespace ktstr::vmm
