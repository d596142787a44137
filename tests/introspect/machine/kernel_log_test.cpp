#include "introspect/machine/kernel_log.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/log_guest.h"

namespace ktstr::introspect::test {
namespace {

std::vector<KernelLogRecord> find(const LogGuest& guest, std::string_view beginning) {
  const auto kernel = guest.attach();
  auto found = find_log_records(kernel, beginning);
  REQUIRE_MESSAGE(found.has_value(), found.error().message);
  return std::move(*found);
}

}  // namespace

TEST_CASE("records come oldest first, and tell the kernel's words from a program's") {
  LogGuest guest;
  guest.add(0, 9, 0, "Oops: int3: 0000", 64);
  guest.add(1, 8, 1, "Oops: int3: forged", 128);
  guest.add(2, 7, 0, "a line that quotes Oops: int3", 0);
  const auto found = find(guest, "Oops: int3");
  REQUIRE(found.size() == 2);
  CHECK(found[0].text == "Oops: int3: forged");
  CHECK(found[0].sequence == 8);
  CHECK_FALSE(found[0].is_kernels());
  CHECK(found[1].text == "Oops: int3: 0000");
  CHECK(found[1].is_kernels());
}

TEST_CASE("a text that did not fit before the end of the buffer is at its beginning") {
  LogGuest guest;
  guest.add(0, 1, 0, "wrapped text", 256 + 248);
  CHECK(find(guest, "wrapped").size() == 1);
}

TEST_CASE("a text that ends with the buffer is where it begins") {
  LogGuest guest;
  guest.add(0, 1, 0, "12345678", 256 + 240);
  const auto found = find(guest, "12345678");
  REQUIRE(found.size() == 1);
  CHECK(found[0].text == "12345678");
}

TEST_CASE("records that are being written or have been given up hold nothing") {
  LogGuest guest;
  guest.add(0, 1, 0, "text", 0, 0);
  guest.add(1, 2, 0, "text", 64, 3);
  guest.add(2, 3, 0, "text", 128, 1);
  const auto found = find(guest, "text");
  REQUIRE(found.size() == 1);
  CHECK(found[0].sequence == 3);
}

TEST_CASE("a log whose size is not plausible is not read") {
  LogGuest guest;
  guest.set(guest.ring(), "printk_ringbuffer", "desc_ring.count_bits", std::uint32_t{40});
  const auto found = find_log_records(guest.attach(), "");
  REQUIRE_FALSE(found);
  CHECK(found.error().message == "the size of the kernel's log is not plausible");
}

TEST_CASE("a log that points nowhere is an error") {
  LogGuest guest;
  guest.write(guest.symbol("prb"), std::uint64_t{0});
  const auto found = find_log_records(guest.attach(), "");
  REQUIRE_FALSE(found);
  CHECK(found.error().code == ErrorCode::kOutOfRange);
}

}  // namespace ktstr::introspect::test
