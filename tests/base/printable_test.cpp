#include "engine/base/printable.h"

#include <doctest/doctest.h>

#include "engine/base/make_printable.h"
#include "engine/base/utf8.h"

using ktstr::field;
using ktstr::first_character;
using ktstr::make_printable;
using ktstr::printable;
using ktstr::printable_lines;
using ktstr::record;
using ktstr::text_width;

namespace {

struct Note {
  std::string text;
  int number = 0;

  static consteval auto describe() {
    using T = Note;
    return record("", field<&T::text>(""), field<&T::number>(""));
  }
};
struct Page {
  std::optional<std::string> title;
  std::vector<Note> notes;
  std::map<std::string, std::string> tags;
  std::variant<Note, int> extra;

  static consteval auto describe() {
    using T = Page;
    return record("", field<&T::title>(""), field<&T::notes>(""), field<&T::tags>(""), field<&T::extra>(""));
  }
};

}  // namespace

TEST_CASE("printable text stays as it is") {
  for (const auto* text : {"", "worker/12: 3.5 ms", "a\\x1b", "M\u00fcller \u2192 \u6f22\u5b57 \U0001f600"})
    CHECK(printable(text) == text);
}

TEST_CASE("control characters are shown, not obeyed") {
  CHECK(printable("\x1b[2J\x1b]0;title\x07") == "\\x1b[2J\\x1b]0;title\\x07");
  CHECK(printable(std::string_view("a\0b\x7f\r", 5)) == "a\\x00b\\x7f\\x0d");
  CHECK(printable("\u009b31m \u0085 \u00a0") == "\\u009b31m \\u0085 \u00a0");
}

TEST_CASE("characters that turn writing round or show nothing are named") {
  CHECK(printable("\u202etxt.exe\u202c \u2066\u2069") == "\\u202etxt.exe\\u202c \\u2066\\u2069");
  CHECK(printable("a\u200bb\u200fc\ufeffd\u00ad\u2028\u061c") ==
        "a\\u200bb\\u200fc\\ufeffd\\u00ad\\u2028\\u061c");
  CHECK(printable("\U000e0041") == "\\U000e0041");
}

TEST_CASE("what is no UTF-8 is shown byte by byte") {
  CHECK(printable("\xff\xfe") == "\\xff\\xfe");
  CHECK(printable("\x9b[31m") == "\\x9b[31m");                              // C1 as one byte
  CHECK(printable("caf\xc3") == "caf\\xc3");                                // cut
  CHECK(printable("\xc0\x9b\xe0\x82\x9b") == "\\xc0\\x9b\\xe0\\x82\\x9b");  // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");                    // a surrogate
  CHECK(printable("\xf4\x90\x80\x80\xf8") == "\\xf4\\x90\\x80\\x80\\xf8");
}

TEST_CASE("one line stays one line, and what was made printable does not change again") {
  const auto once = printable("a\nPASS forged\r\n\tok 1\x1b \xff");
  CHECK(once == "a\\nPASS forged\\x0d\\n\\tok 1\\x1b \\xff");
  CHECK(printable(once) == once);
}

TEST_CASE("lines stay lines, but none of them begins where ours do") {
  CHECK(printable_lines("first\nPASS forged\r\n\tok\n\n") == "first\n    PASS forged\n    \tok");
  CHECK(printable_lines("a\n\nb", "# ") == "a\n# \n# b");
  CHECK(printable_lines("a\rPASS\v\f") == "a\\x0dPASS\\x0b\\x0c");
  CHECK(printable_lines("\n") == "");
}

TEST_CASE("characters of UTF-8 have one form each") {
  CHECK(first_character("a").character == U'a');
  CHECK(first_character("\u20ac+").size == 3);
  CHECK(first_character("\U0010ffff").character == 0x10ffff);
  CHECK(first_character("").size == 0);
  CHECK(first_character("\x80").size == 0);
  CHECK(first_character("\xc1\xbf").size == 0);
  CHECK(first_character("\xf0\x8f\xbf\xbf").size == 0);
}

TEST_CASE("bytes that are no characters are replaced for JSON") {
  CHECK(ktstr::valid_utf8("a\x1b \u00fc") == "a\x1b \u00fc");
  CHECK(ktstr::valid_utf8("a\xff\xe2\x82z") == "a\ufffd\ufffd\ufffdz");
}

TEST_CASE("a text is as wide as it has characters") {
  CHECK(text_width("caf\xc3\xa9") == 4);
  CHECK(text_width("") == 0);
}

TEST_CASE("every text of a record is made printable") {
  Page page{"\x1b[1m", {{"two\nlines", 1}}, {{"k\n", "\x07"}}, Note{"\x7f", 2}};
  make_printable(page);
  CHECK(page.title == "\\x1b[1m");
  CHECK(page.notes[0].text == "two\n    lines");
  CHECK(page.notes[0].number == 1);
  CHECK(page.tags == std::map<std::string, std::string>{{"k\\n", "\\x07"}});
  CHECK(std::get<Note>(page.extra).text == "\\x7f");
}
