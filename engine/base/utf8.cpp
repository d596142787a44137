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

}  // namespace ktstr
