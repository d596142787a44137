#include "lua/commands/json_output.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string_view>

#include "engine/base/value.h"

using namespace ktstr;

namespace {

std::string put(std::string_view text) {
  char* buffer = nullptr;
  std::size_t size = 0;
  std::FILE* file = ::open_memstream(&buffer, &size);
  {
    lua::JsonOutput output(file);
    for (const char c : text) output.Put(c);
    output.Flush();
  }
  std::fclose(file);
  std::string result(buffer, size);
  std::free(buffer);
  return result;
}

}  // namespace

TEST_CASE("JSON for a terminal says the same with nothing in it that a terminal obeys") {
  CHECK(put("{\"a\": \"M\u00fcller\"}\n") == "{\"a\": \"M\u00fcller\"}\n");
  const std::string hostile = "\"\u009b31m \u202e \x7f \U000e0041\"";
  const auto shown = put(hostile);
  CHECK(shown == "\"\\u009b31m \\u202e \\u007f \\udb40\\udc41\"");
  const auto read = parse_json(shown), original = parse_json(hostile);
  REQUIRE(read);
  REQUIRE(original);
  CHECK(*read->get_if<std::string>() == *original->get_if<std::string>());
}

TEST_CASE("bytes that belong to no character are replaced, so that the JSON can be read") {
  CHECK(put("\"\xff\xe2\x82\"") == "\"\\ufffd\\ufffd\\ufffd\"");
  CHECK(put("\"\xf0\x9f\x98") == "\"\\ufffd\\ufffd\\ufffd");
  CHECK(put("\"\xe2\xe2\x82\xac\"") == "\"\\ufffd\u20ac\"");
}
