// Text of guests, scripts and files, made fit for a terminal or a log.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ktstr {

/// Whether a character neither moves a cursor, nor turns the direction of writing round, nor shows nothing.
[[nodiscard]] bool is_printable(char32_t character);

/// The text as one line that moves no cursor and hides nothing: line ends and tabs as "\n" and "\t", other
/// control characters and invalid UTF-8 as "\x1b", C1, bidirectional and invisible characters as "\u202e".
/// Any other UTF-8 stays as it is, backslashes too: what is printable is not changed a second time.
[[nodiscard]] std::string printable(std::string_view text);

/// Likewise, but lines stay lines and tabs stay tabs. Each line after the first begins with `indent`, so that
/// none of them can be taken for a line of ours. Line ends at the end of the text are left out.
[[nodiscard]] std::string printable_lines(std::string_view text, std::string_view indent = "    ");

/// The number of characters that UTF-8 text has.
[[nodiscard]] std::size_t text_width(std::string_view text);

}  // namespace ktstr
