#include "vmm/kvm/acpi/aml.h"

#include <doctest/doctest.h>

namespace ktstr::vmm::kvm {
namespace {

Bytes bytes(std::initializer_list<int> values) {
  Bytes result;
  for (const int value : values) result.push_back(std::byte(value));
  return result;
}

/// What a package length says, bytes of its own included (ACPI 6.5, 20.2.4).
std::size_t decoded(const Bytes& encoding) {
  const auto lead = unsigned(encoding.at(0));
  const auto following = lead >> 6;
  CHECK(encoding.size() == following + 1);
  if (following == 0) return lead;
  std::size_t length = lead & 0xf;
  for (unsigned i = 0; i < following; ++i) length |= std::size_t(encoding.at(i + 1)) << (4 + 8 * i);
  return length;
}

}  // namespace

TEST_CASE("a package length counts itself, at every size of its own") {
  for (const std::size_t content :
       {0, 1, 61, 62, 63, 64, 4092, 4093, 4094, 4095, 1048571, 1048572, 1048573}) {
    CAPTURE(content);
    const auto encoding = aml::package_length(content);
    CHECK(decoded(encoding) == content + encoding.size());
  }
  CHECK(aml::package_length(62).size() == 1);
  CHECK(aml::package_length(63).size() == 2);
  CHECK(aml::package_length(4093).size() == 2);
  CHECK(aml::package_length(4094).size() == 3);
}

TEST_CASE("an integer has its shortest encoding") {
  CHECK(aml::integer(0) == bytes({0}));
  CHECK(aml::integer(1) == bytes({1}));
  CHECK(aml::integer(2) == bytes({0x0a, 2}));
  CHECK(aml::integer(0x100) == bytes({0x0b, 0, 1}));
  CHECK(aml::integer(0x10000) == bytes({0x0c, 0, 0, 1, 0}));
  CHECK(aml::integer(0x100000000) == bytes({0x0e, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST_CASE("an EISA id is three letters of five bits and four digits, most significant byte first") {
  CHECK(aml::eisa_id("PNP0A03") == bytes({0x0c, 0x41, 0xd0, 0x0a, 0x03}));
}

TEST_CASE("names are padded to four characters, and a scope holds its terms") {
  CHECK(aml::name("AB", aml::integer(1)) == bytes({0x08, 'A', 'B', '_', '_', 1}));
  CHECK(aml::scope("_SB", {aml::name("A", aml::integer(0))}) ==
        bytes({0x10, 11, '_', 'S', 'B', '_', 0x08, 'A', '_', '_', '_', 0}));
  CHECK(aml::device("D", {}) == bytes({0x5b, 0x82, 5, 'D', '_', '_', '_'}));
  CHECK(aml::package({aml::integer(5), aml::integer(0)}) == bytes({0x12, 5, 2, 0x0a, 5, 0}));
  CHECK(aml::buffer(bytes({7, 8})) == bytes({0x11, 5, 0x0a, 2, 7, 8}));
  CHECK(aml::string("hi") == bytes({0x0d, 'h', 'i', 0}));
}

}  // namespace ktstr::vmm::kvm
