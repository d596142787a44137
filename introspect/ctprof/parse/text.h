// Pieces of the kernel's text files: complete lines and words, and numbers that are nothing else.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

namespace ktstr::introspect::ctprof {

/// The number that is all of `text`; nothing when it is not one, or does not fit.
template <std::integral T>
[[nodiscard]] std::optional<T> to_number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

/// Takes the next line, without its newline, off `rest`. A line without one was cut off: it is not taken, and
/// neither is anything after the end (nothing is returned).
[[nodiscard]] std::optional<std::string_view> next_line(std::string_view& rest);

/// Takes the next word off `rest`: what ends with a space or a newline. One that ends otherwise was cut off.
[[nodiscard]] std::optional<std::string_view> next_word(std::string_view& rest);

/// Text of the kernel's that may hold any bytes, as valid UTF-8: what is not becomes "\xNN".
[[nodiscard]] std::string to_utf8(std::string_view bytes);

/// A name as /proc/PID/comm gives it: all but the newline at the end.
[[nodiscard]] std::string parse_comm(std::string_view text);

/// Calls take(key, value), both trimmed, for each complete line that has a colon.
template <class Take>
void for_each_keyed_line(std::string_view text, Take take) {
  while (const auto line = next_line(text)) {
    const auto colon = line->find(':');
    if (colon != std::string_view::npos) take(trim(line->substr(0, colon)), trim(line->substr(colon + 1)));
  }
}

}  // namespace ktstr::introspect::ctprof
