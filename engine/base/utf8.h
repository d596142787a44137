// The characters of UTF-8 text (RFC 3629).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ktstr {

struct Utf8Character {
  char32_t character = 0;
  std::size_t size = 0;  ///< bytes; 0: what the text begins with is no character
};

/// The character that `text` begins with. Overlong forms, surrogates and what lies above U+10FFFF are none.
[[nodiscard]] constexpr Utf8Character first_character(std::string_view text) {
  if (text.empty()) return {};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  char32_t character = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) != 0x80) return {};
    character = character << 6 | (byte & 0x3f);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  if (character < kSmallest[size] || surrogate || character > 0x10ffff) return {};
  return {character, size};
}

/// The text with U+FFFD for each byte that belongs to no character: what JSON can hold.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// At most `longest` bytes of `text`, no UTF-8 character in half, and "... (N bytes more)" where it was
/// longer: for texts of scripts and guests, which people and reports must be able to take.
[[nodiscard]] std::string cut_text(std::string text, std::size_t longest);

}  // namespace ktstr
