#include "engine/base/utf8.h"

namespace ktstr {

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto size = first_character(text).size;
    out += size == 0 ? "\ufffd" : text.substr(0, size);
    text.remove_prefix(size == 0 ? 1 : size);
  }
  return out;
}

std::string cut_text(std::string text, std::size_t longest) {
  if (text.size() <= longest) return text;
  auto end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  const auto left_out = text.size() - end;
  text.resize(end);
  return text + "... (" + std::to_string(left_out) + " bytes more)";
}

}  // namespace ktstr
