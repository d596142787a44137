#include "introspect/ctprof/parse/text.h"

#include <algorithm>
#include <array>

namespace ktstr::introspect::ctprof {
namespace {

// The library's find_first_of() makes a call for each character: too much for the words of every thread.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool ends_word(char c) {
  return c == ' ' || c == '\n';
}

/// A sequence's first byte, by how many bytes it has: its bits, and the range of the second byte (RFC 3629).
struct Utf8Form {
  unsigned char first_from, first_to;
  unsigned char second_from, second_to;
  std::size_t size;
};
constexpr Utf8Form kUtf8Forms[] = {
    {0x00, 0x7f, 0x80, 0xbf, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};

bool has_form(std::string_view bytes, const Utf8Form& form) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (byte(0) < form.first_from || byte(0) > form.first_to || bytes.size() < form.size) return false;
  for (std::size_t i = 1; i < form.size; ++i) {
    const bool second = i == 1;
    if (byte(i) < (second ? form.second_from : 0x80) || byte(i) > (second ? form.second_to : 0xbf))
      return false;
  }
  return true;
}

/// How many bytes the character at the beginning has; 0 when there is none.
std::size_t character_size(std::string_view bytes) {
  for (const auto& form : kUtf8Forms)
    if (has_form(bytes, form)) return form.size;
  return 0;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

std::optional<std::string_view> next_word(std::string_view& rest) {
  const auto* const first = std::ranges::find_if_not(rest, ends_word);
  const auto* const end = std::find_if(first, rest.end(), ends_word);
  if (end == rest.end()) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.begin()) + 1);
  return std::string_view(first, static_cast<std::size_t>(end - first));
}

std::string to_utf8(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto size = character_size(bytes);
    if (size > 0) {
      text.append(bytes.substr(0, size));
    } else {
      const auto byte = static_cast<unsigned char>(bytes.front());
      text.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
    bytes.remove_prefix(size > 0 ? size : 1);
  }
  return text;
}

std::string parse_comm(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  return to_utf8(text);
}

}  // namespace ktstr::introspect::ctprof
