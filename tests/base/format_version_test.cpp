#include "engine/base/format_version.h"

#include <doctest/doctest.h>

#include "engine/base/read_format.h"

namespace ktstr {
namespace {

struct Wheel {
  std::uint32_t spokes = 0;
  std::optional<std::string> maker{};

  static consteval auto describe() {
    using T = Wheel;
    return record("a wheel", field<&T::spokes>("its spokes"), field<&T::maker>("who made it"));
  }
};
struct Cart {
  std::string name;
  std::vector<Wheel> wheels;
  std::uint32_t horses = 7;

  static consteval auto describe() {
    using T = Cart;
    return record("a cart", field<&T::name>("its name"), field<&T::wheels>("its wheels"),
                  field<&T::horses>("what draws it"));
  }
};

}  // namespace

namespace {

constexpr FormatVersion kKnown{2, 3};

Result<std::string> read_cart(const char* json, FormatVersion found, Cart& cart) {
  return read_format(parse_json(json).value(), cart, found, kKnown);
}

}  // namespace

TEST_CASE("versions are two numbers with a dot") {
  CHECK(FormatVersion::parse("2.13").value() == FormatVersion{2, 13});
  CHECK(FormatVersion{2, 13}.to_string() == "2.13");
  for (const auto* text : {"", "2", "2.", ".1", "2.x", "2.1.0", "-1.0", " 1.0", "1.99999999999"})
    CHECK(FormatVersion::parse(text).error().message ==
          std::string("expected a format version such as \"1.0\", got \"") + text + "\"");
}

TEST_CASE("a binary header's word holds both numbers, and 1 is 1.0") {
  CHECK(FormatVersion::from_word(1) == FormatVersion{1, 0});
  CHECK(FormatVersion::from_word(FormatVersion{3, 5}.to_word()) == FormatVersion{3, 5});
}

TEST_CASE("another major version is refused with what to do") {
  CHECK(check_format({2, 99}, kKnown));
  CHECK(check_format({2, 0}, kKnown));
  const auto newer = check_format({3, 0}, kKnown);
  CHECK(newer.error().code == ErrorCode::kUnavailable);
  CHECK(newer.error().message ==
        "written by a newer ktstr (format 3.0; this one reads 2.x): use a ktstr of that version or newer");
  CHECK(check_format({1, 4}, kKnown).error().message ==
        "written by an older ktstr (format 1.4; this one reads 2.x): use a ktstr that reads that format");
}

TEST_CASE("what a newer minor version added is left out, counted and named") {
  Cart cart;
  const auto note = read_cart(
      R"({"name":"a","wheels":[{"spokes":8,"rim":1},{"spokes":9,"rim":2}],"horses":1,"bell":{"tone":1},"x":1,"y":1})",
      {2, 4}, cart);
  CHECK(note.value() ==
        "written by a newer ktstr (format 2.4; this one reads 2.3): left out 5 unknown members: bell, x, y, "
        "wheels[1].rim ...");
  CHECK(cart.wheels.at(1).spokes == 9);
}

TEST_CASE("a file of this version must be what this version writes") {
  Cart cart;
  CHECK(read_cart(R"({"name":"a","wheels":[],"horses":1,"hores":1})", kKnown, cart).error().message ==
        "hores: unknown key (did you mean \"horses\"?)");
  CHECK(read_cart(R"({"name":"a","wheels":[]})", kKnown, cart).error().message == "missing \"horses\"");
  CHECK(read_cart(R"({"name":"a","wheels":[],"horses":1})", kKnown, cart).value().empty());
}

TEST_CASE("what an older minor version lacks keeps its default, and what it has too much is an error") {
  Cart cart;
  CHECK(read_cart(R"({"name":"a"})", {2, 1}, cart).value().empty());
  CHECK(cart.horses == 7);
  CHECK_FALSE(read_cart(R"({"name":"a","bell":1})", {2, 1}, cart));
}

TEST_CASE("an error in a newer file tells that it is newer") {
  Cart cart;
  CHECK(
      read_cart(R"({"name":1,"wheels":[],"horses":1})", {2, 4}, cart).error().message ==
      "name: expected a string, got a whole number (1); written by a newer ktstr (format 2.4; this one reads "
      "2.3)");
}

TEST_CASE("a version that is no version is an error with its place") {
  CHECK(format_of(parse_json("{}").value(), "format", {1, 0}).value() == FormatVersion{1, 0});
  CHECK(format_of(parse_json(R"({"format":"4.2"})").value(), "format", {1, 0}).value() ==
        FormatVersion{4, 2});
  CHECK(format_of(parse_json(R"({"format":4})").value(), "format", {1, 0})
            .error()
            .message.starts_with("format: expected a format version"));
  CHECK(format_of(parse_json(R"({"format":"new"})").value(), "format", {1, 0})
            .error()
            .message.starts_with("format: expected a format version"));
}

}  // namespace ktstr
