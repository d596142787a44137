#include "lua/commands/json_output.h"

#include "engine/base/printable.h"
#include "engine/base/utf8.h"

namespace ktstr::lua {
namespace {

constexpr char32_t kNoCharacter = 0xfffd;
constexpr std::size_t kLongestCharacter = 4;

void put_escape(std::FILE* file, char32_t character) {
  if (character <= 0xffff) {
    std::fprintf(file, "\\u%04x", static_cast<unsigned>(character));
    return;
  }
  const auto rest = static_cast<unsigned>(character - 0x10000);
  std::fprintf(file, "\\u%04x\\u%04x", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

void JsonOutput::Put(char c) {
  if (!is_ascii(c)) {
    pending_ += c;
    while (!pending_.empty() && (first_character(pending_).size != 0 || pending_.size() >= kLongestCharacter))
      put_first_of_pending();
    return;
  }
  while (!pending_.empty()) put_first_of_pending();
  if (c == '\x7f')
    put_escape(file_, 0x7f);
  else
    ::putc_unlocked(c, file_);
}

void JsonOutput::put_first_of_pending() {
  const auto [character, size] = first_character(pending_);
  if (size == 0)
    put_escape(file_, kNoCharacter);
  else if (is_printable(character))
    std::fwrite(pending_.data(), 1, size, file_);
  else
    put_escape(file_, character);
  pending_.erase(0, size == 0 ? 1 : size);
}

void JsonOutput::Flush() {
  while (!pending_.empty()) put_first_of_pending();
  std::fflush(file_);
}

}  // namespace ktstr::lua
