#include "engine/base/units.h"

#include <doctest/doctest.h>

namespace ktstr {

TEST_CASE("parse_duration reads every unit") {
  CHECK(parse_duration("7ns")->ns == 7);
  CHECK(parse_duration("100us")->ns == 100'000);
  CHECK(parse_duration("50ms")->ns == 50'000'000);
  CHECK(parse_duration("1.5s")->ns == 1'500'000'000);
  CHECK(parse_duration("2m")->ns == 120'000'000'000);
  CHECK(parse_duration("1h")->ns == 3'600'000'000'000);
  CHECK(parse_duration("0s")->ns == 0);
}

TEST_CASE("parse_duration refuses text without a unit, sign, number or range") {
  for (const char* text :
       {"", "5", "ms", "-1s", "1 s", "1.2.3s", "5parsecs", "9999999999h", "99999999999999999999s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text).has_value());
  }
  CHECK(parse_duration("5").error().message ==
        "\"5\" is not a duration such as \"50ms\" (units: ns us ms s m h)");
}

TEST_CASE("format_duration is the shortest spelling that reads back") {
  for (const char* text : {"0s", "7ns", "1500us", "50ms", "3s", "2m", "1h"}) {
    CAPTURE(text);
    CHECK(format_duration(*parse_duration(text)) == text);
  }
}

TEST_CASE("parse_byte_size reads powers of 1024 with and without B") {
  CHECK(parse_byte_size("64K")->bytes == 65536);
  CHECK(parse_byte_size("64KiB")->bytes == 65536);
  CHECK(parse_byte_size("64KB")->bytes == 65536);
  CHECK(parse_byte_size("512M")->bytes == 512ULL << 20);
  CHECK(parse_byte_size("4096B")->bytes == 4096);
  for (const char* text : {"", "64", "K", "B", "64X", "-1K"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_byte_size(text).has_value());
  }
  CHECK(format_byte_size(ByteSize{65536}) == "64K");
}

}  // namespace ktstr
