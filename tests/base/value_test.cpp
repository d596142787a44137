#include "engine/base/value.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <string>

namespace ktstr {
namespace {

template <class T>
std::optional<T> parsed(std::string_view number) {
  const auto value = parse_json(number);
  const T* found = value ? value->get_if<T>() : nullptr;
  return found ? std::optional(*found) : std::nullopt;
}

}  // namespace

TEST_CASE("whole numbers are signed where they fit, unsigned up to 2^64, and floating beyond") {
  CHECK(parsed<std::int64_t>("0") == 0);
  CHECK(parsed<std::int64_t>("-0") == 0);
  CHECK(parsed<std::int64_t>("4294967296") == 4294967296);
  CHECK(parsed<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(parsed<std::int64_t>("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parsed<std::uint64_t>("9223372036854775808") == 9223372036854775808U);
  CHECK(parsed<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(parsed<double>("18446744073709551616") == 18446744073709551616.0);
  CHECK(parsed<double>("-9223372036854775809") == -9223372036854775808.0);
}

TEST_CASE("fractions are the nearest double") {
  CHECK(parsed<double>("0.1") == 0.1);
  CHECK(parsed<double>("-2.5e3") == -2500);
  CHECK(parsed<double>("1.7976931348623157e308") == std::numeric_limits<double>::max());
  CHECK(parsed<double>("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(parsed<double>("123456789012345678901234567890.5") == 123456789012345678901234567890.5);
}

TEST_CASE("zeros keep to zero whatever their exponent, and what is too small becomes zero") {
  CHECK(parsed<double>("0e-92") == 0);
  CHECK(parsed<double>("0e300") == 0);
  CHECK(parsed<double>("0.0e-2147483639") == 0);
  CHECK(parsed<double>("1e-400") == 0);
  CHECK(parsed<double>("0.0000000001e-2147483639") == 0);
  CHECK(parsed<double>("0." + std::string(400, '0') + "1") == 0);
}

TEST_CASE("numbers beyond the largest double are refused") {
  CHECK_FALSE(parse_json("9e308").has_value());
  CHECK_FALSE(parse_json("1e309").has_value());
  CHECK_FALSE(parse_json("1" + std::string(400, '0')).has_value());
}

TEST_CASE("what is no number of JSON is refused, but for those that are not finite") {
  for (const auto* text : {"-", "01", "1.", ".5", "+1", "0x10", "1e", "1e+", "--1"})
    CHECK_FALSE(parse_json(text).has_value());
  CHECK(std::isnan(parsed<double>("NaN").value()));
  CHECK(parsed<double>("-Infinity") == -std::numeric_limits<double>::infinity());
}

TEST_CASE("a text is read up to the number of values that its reader takes") {
  const auto refusal = [](std::string_view text, const JsonLimits& limits) {
    const auto value = parse_json(text, limits);
    return value ? "" : value.error().message;
  };
  CHECK(refusal("[1,2,3]", {.values = 4}).empty());
  CHECK(refusal("[1,2,3]", {.values = 3}) == "JSON, byte 5: more than 3 values");
  CHECK(refusal(R"({"a":[],"b":{}})", {.values = 3}).empty());
  CHECK(refusal(R"({"a":[],"b":{}})", {.values = 2}).ends_with("more than 2 values"));
  CHECK(refusal(R"(["four"])", {.string_bytes = 4}).empty());
  CHECK(refusal(R"(["fiver"])", {.string_bytes = 4}).ends_with("a string of 5 bytes, at most 4 are taken"));
  CHECK(refusal(R"({"fiver":0})", {.string_bytes = 4}).ends_with("a string of 5 bytes, at most 4 are taken"));
}

TEST_CASE("a text of too many values for its length is refused long before its end") {
  std::string zeros = "[0";
  for (int i = 0; i < 100'000; ++i) zeros += ",0";
  zeros += "]";
  CHECK(parse_json(zeros).has_value());
  const auto dense = parse_json(zeros, {.bytes_per_value = 8});
  REQUIRE_FALSE(dense.has_value());
  CHECK(dense.error().message == "JSON, byte 2729: too many values for so short a text");
  std::string members = R"({"a":0)";
  for (int i = 0; i < 100'000; ++i) members += R"(,"name":0)";
  CHECK(parse_json(members + "}", {.bytes_per_value = 8}).has_value());
}

TEST_CASE("what is well-formed and still not taken says why") {
  CHECK(parse_json(std::string(1000, '[')).error().message.ends_with("nested deeper than 256"));
}

}  // namespace ktstr
