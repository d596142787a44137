#include "engine/protocol/base64.h"

#include <cstdint>

namespace ktstr::engine::protocol {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr const char* kNotBase64 = "bytes that are not base64";

/// How many of the last group's characters are padding.
std::size_t padding(std::string_view text) {
  if (text.ends_with("==")) return 2;
  return text.ends_with('=') ? 1 : 0;
}

}  // namespace

std::string encode_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto group = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j)
      bits = bits << 8 | (j < group.size() ? static_cast<unsigned char>(group[j]) : 0);
    for (std::size_t j = 0; j < 4; ++j)
      text += j <= group.size() ? kAlphabet[bits >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

Result<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return corrupted(kNotBase64);
  const auto padded = padding(text);
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const auto missing = i + 4 == text.size() ? padded : 0;
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const auto digit = j + missing < 4 ? kAlphabet.find(text[i + j]) : 0;
      if (digit == kAlphabet.npos) return corrupted(kNotBase64);
      bits = bits << 6 | static_cast<std::uint32_t>(digit);
    }
    for (std::size_t j = 0; j < 3; ++j) {
      const auto byte = static_cast<char>(bits >> (16 - 8 * j));
      if (j + missing < 3)
        bytes += byte;
      else if (byte != 0)
        return corrupted(kNotBase64);
    }
  }
  return bytes;
}

}  // namespace ktstr::engine::protocol
