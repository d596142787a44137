#include "engine/base/printable.h"

#include <algorithm>
#include <cstdint>

#include "engine/base/utf8.h"

namespace ktstr {
namespace {

/// Ranges of characters that move the cursor, turn the direction of writing round, or show nothing.
struct Range {
  char32_t first, last;
};
constexpr Range kUnprintable[] = {
    {0x00, 0x1f},        // C0
    {0x7f, 0x9f},        // DEL and C1
    {0xad, 0xad},        // soft hyphen
    {0x34f, 0x34f},      // combining grapheme joiner
    {0x61c, 0x61c},      // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian variation selectors, vowel separator
    {0x200b, 0x200f},    // zero width space and joiners, marks of direction
    {0x2028, 0x202e},    // line and paragraph separators, embeddings and overrides of direction
    {0x2060, 0x206f},    // word joiner, invisible operators, isolates of direction
    {0x3164, 0x3164},    // Hangul filler
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // half width Hangul filler
    {0xfff0, 0xfffb},    // unassigned, annotations between lines
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d173, 0x1d17a},  // musical format controls
    {0xe0000, 0xe0fff},  // tags and further variation selectors
};

void append_hex(std::string& out, std::uint32_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) out += "0123456789abcdef"[(value >> (4 * i)) & 15];
}

void append_escape(std::string& out, char32_t character) {
  if (character < 0x80)
    append_hex(out += "\\x", character, 2);
  else if (character <= 0xffff)
    append_hex(out += "\\u", character, 4);
  else
    append_hex(out += "\\U", character, 8);
}

/// Takes the first character off `text`, which is not empty, and appends it or what stands for it.
void append_first(std::string& out, std::string_view& text) {
  const auto [character, size] = first_character(text);
  if (size == 0) {
    append_hex(out += "\\x", static_cast<unsigned char>(text.front()), 2);
    return text.remove_prefix(1);
  }
  if (is_printable(character))
    out += text.substr(0, size);
  else
    append_escape(out, character);
  text.remove_prefix(size);
}

bool is_plain(char c) {
  return c >= ' ' && c <= '~';
}

}  // namespace

bool is_printable(char32_t character) {
  return std::ranges::none_of(
      kUnprintable, [&](const Range& range) { return character >= range.first && character <= range.last; });
}

std::string printable(std::string_view text) {
  if (std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.front() != '\n' && text.front() != '\t') {
      append_first(out, text);
      continue;
    }
    out += text.front() == '\n' ? "\\n" : "\\t";
    text.remove_prefix(1);
  }
  return out;
}

std::string printable_lines(std::string_view text, std::string_view indent) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    if (text.starts_with("\r\n")) text.remove_prefix(1);
    if (text.front() == '\n') {
      (out += '\n') += indent;
      text.remove_prefix(1);
    } else if (text.front() == '\t') {
      out += '\t';
      text.remove_prefix(1);
    } else {
      append_first(out, text);
    }
  }
  return out;
}

std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace ktstr
