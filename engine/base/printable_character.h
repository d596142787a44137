// Which characters may reach a terminal.
#pragma once

namespace ktstr {

/// Whether a character neither moves a cursor, nor turns the direction of writing round, nor shows nothing.
[[nodiscard]] bool is_printable(char32_t character);

}  // namespace ktstr
