#include "introspect/ctprof/parse/text.h"

#include <doctest/doctest.h>

#include "introspect/ctprof/parse/decode.h"

namespace ktstr::introspect::ctprof {

TEST_CASE("a number is all of the text and fits") {
  CHECK(to_number<std::uint64_t>("18446744073709551615") == 18446744073709551615u);
  CHECK(!to_number<std::uint64_t>("18446744073709551616"));
  CHECK(!to_number<std::uint64_t>("-1"));
  CHECK(!to_number<std::uint64_t>("12x"));
  CHECK(!to_number<std::uint64_t>(""));
  CHECK(to_number<std::int32_t>("-20") == -20);
}

TEST_CASE("a line or word that does not end was cut off") {
  std::string_view lines = "one\n\ntwo";
  CHECK(next_line(lines) == "one");
  CHECK(next_line(lines) == "");
  CHECK(!next_line(lines));
  std::string_view words = "  a bc\nde";
  CHECK(next_word(words) == "a");
  CHECK(next_word(words) == "bc");
  CHECK(!next_word(words));
}

TEST_CASE("bytes that are no UTF-8 become escapes") {
  CHECK(to_utf8("caf\xc3\xa9 \xf0\x9f\x90\xa7") == "caf\xc3\xa9 \xf0\x9f\x90\xa7");
  CHECK(to_utf8("a\xff"
                "b") == "a\\xffb");
  CHECK(to_utf8("\xc3") == "\\xc3");
  CHECK(to_utf8("\xc0\x80") == "\\xc0\\x80");           // overlong
  CHECK(to_utf8("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(to_utf8("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("a name keeps everything but the last newline") {
  CHECK(parse_comm("kworker/0:1H\n") == "kworker/0:1H");
  CHECK(parse_comm("a b)\n(c\n") == "a b)\n(c");
  CHECK(parse_comm("") == "");
}

TEST_CASE("dotted milliseconds are ns") {
  CHECK(parse_dotted_ns("12.000345") == 12000345u);
  CHECK(parse_dotted_ns("0.000000") == 0u);
  CHECK(parse_dotted_ns("18446744073709.551615") == 18446744073709551615u);
  for (const auto* text : {"18446744073709.551616", "-5.000000", "5", "5.00000", "5.0000000", ".000001",
                           "1.-00001", "1.00000x", ""})
    CHECK_MESSAGE(!parse_dotted_ns(text), text);
}

TEST_CASE("policies have names, unknown ones their number") {
  CHECK(policy_name(0) == "SCHED_OTHER");
  CHECK(policy_name(7) == "SCHED_EXT");
  CHECK(policy_name(4) == "policy 4");
}

}  // namespace ktstr::introspect::ctprof
