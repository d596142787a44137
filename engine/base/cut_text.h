// Texts of scripts and guests, cut to a length that people and reports can take.
#pragma once

#include <cstddef>
#include <string>

namespace ktstr {

/// At most `longest` bytes of `text`, no UTF-8 character in half, and "... (N bytes more)" where it was
/// longer.
[[nodiscard]] inline std::string cut_text(std::string text, std::size_t longest) {
  if (text.size() <= longest) return text;
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  const auto left_out = text.size() - end;
  text.resize(end);
  return text + "... (" + std::to_string(left_out) + " bytes more)";
}

}  // namespace ktstr
