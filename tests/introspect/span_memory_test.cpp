#include "introspect/span_memory.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace ktstr;
using namespace ktstr::introspect;

namespace {

std::vector<std::byte> counting(std::size_t length, unsigned first = 0) {
  std::vector<std::byte> bytes(length);
  for (std::size_t i = 0; i < length; ++i) bytes[i] = static_cast<std::byte>(first + i);
  return bytes;
}

}  // namespace

TEST_CASE("copy_shared copies every length from every alignment") {
  const auto source = counting(64);
  for (std::size_t from = 0; from < 16; ++from)
    for (std::size_t length = 0; length <= 40; ++length) {
      CAPTURE(from);
      CAPTURE(length);
      std::vector<std::byte> out(length + 1, std::byte{0xee});
      copy_shared(std::span(out).first(length), source.data() + from);
      CHECK(std::equal(out.begin(), out.end() - 1, source.begin() + static_cast<std::ptrdiff_t>(from)));
      CHECK(out.back() == std::byte{0xee});
    }
}

TEST_CASE("a read crosses from one span to the adjacent one") {
  const auto low = counting(16), high = counting(16, 16);
  const SpanMemory memory({{GuestPhys(0x1010), high}, {GuestPhys(0x1000), low}});
  std::vector<std::byte> out(12);
  REQUIRE(memory.read(GuestPhys(0x100a), out));
  CHECK(out == counting(12, 10));
}

TEST_CASE("a read that touches a hole, the outside or the end of the address space fails") {
  const auto bytes = counting(16);
  const SpanMemory memory({{GuestPhys(0x1000), bytes}, {GuestPhys(0x2000), bytes}});
  std::vector<std::byte> out(8);
  CHECK_FALSE(memory.read(GuestPhys(0x0ffc), out));
  CHECK_FALSE(memory.read(GuestPhys(0x100c), out));
  CHECK_FALSE(memory.read(GuestPhys(0x200c), out));
  CHECK_FALSE(memory.read(GuestPhys(~std::uint64_t{0} - 2), out));
  CHECK(memory.read(GuestPhys(0x2008), out));
  CHECK(memory.end() == GuestPhys(0x2010));
}

TEST_CASE("memory without spans has no address") {
  const SpanMemory memory;
  CHECK_FALSE(memory.read_value<std::uint8_t>(GuestPhys(0)).has_value());
  CHECK(memory.end() == GuestPhys(0));
}
