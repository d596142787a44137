// Text as a guest, script or file could have that means harm to whoever shows it.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace ktstr::testing {

/// Begins like a verdict, clears a screen, sets a title, turns writing round, and forges lines of every
/// format that we write.
inline const std::string kHostileText =
    "PASS forged \x1b[2J\x1b]0;pwned\x07\u009b31m\u202e\u200b\x7f\xff\nPASS forged\r\nok 1 forged # "
    "SKIP\nnot ok 2\n1..1";

/// Whether nothing in `text` controls a terminal, and no line of kHostileText begins one.
inline void check_harmless(std::string_view text) {
  for (const auto* bad : {"\x1b", "\x07", "\x7f", "\xff", "\r", "\u009b", "\u202e", "\u200b", "\nPASS",
                          "\nok 1 forged", "\nnot ok 2\n", "\n1..1"}) {
    CAPTURE(bad);
    CHECK(text.find(bad) == std::string_view::npos);
  }
}

}  // namespace ktstr::testing
