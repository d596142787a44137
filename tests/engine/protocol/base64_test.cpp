#include "engine/protocol/base64.h"

#include <doctest/doctest.h>

namespace ktstr::engine::protocol {

TEST_CASE("bytes become the text of RFC 4648, and come back") {
  const std::pair<std::string, std::string> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : examples) {
    CHECK(encode_base64(bytes) == text);
    CHECK(decode_base64(text).value() == bytes);
  }
}

TEST_CASE("every byte survives at every place of a group") {
  std::string bytes;
  for (int i = 0; i < 3 * 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t from = 0; from < 3; ++from)
    CHECK(decode_base64(encode_base64(bytes.substr(from))).value() == bytes.substr(from));
}

TEST_CASE("what is not base64 is told") {
  for (const auto* text : {"Z", "Zg", "Zg=", "Zg==Zg==", "=Zg=", "====", "Zm9-", "Zm 9", "Zh==", "Zm9="})
    CHECK_MESSAGE(!decode_base64(text).has_value(), text);
}

}  // namespace ktstr::engine::protocol
