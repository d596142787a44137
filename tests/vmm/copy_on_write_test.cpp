// Guest memory that is copied when it is written to, and templates of it.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vmm/ram_to_copy.h"

namespace ktstr::vmm {
namespace {

using test::kPageBytes, test::make_ram, test::take;

GuestRam copy_on_write(const RamTemplate& source) {
  auto ram = GuestRam::copy_on_write(source);
  REQUIRE(ram.has_value());
  return std::move(*ram);
}

}  // namespace

TEST_CASE("copy-on-write memory has its template's banks and bytes, also when the template is gone") {
  auto ram = make_ram({4 * kMiB, 2 * kMiB});
  ram.bytes(0)[3 * kMiB] = std::byte{1};
  ram.bytes(1).back() = std::byte{2};
  const auto copy = copy_on_write(take(ram));
  CHECK(copy.is_copy_on_write());
  REQUIRE(copy.bank_count() == 2);
  CHECK(std::ranges::equal(copy.bytes(0), ram.bytes(0)));
  CHECK(std::ranges::equal(copy.bytes(1), ram.bytes(1)));
}

TEST_CASE("what is written to copy-on-write memory shows neither in the template nor in another copy") {
  auto ram = make_ram({2 * kMiB});
  ram.bytes(0)[0] = std::byte{1};
  const auto source = take(ram);
  auto first = copy_on_write(source), second = copy_on_write(source);
  first.bytes(0)[0] = std::byte{2};
  first.bytes(0)[kPageBytes] = std::byte{3};
  const auto third = copy_on_write(source);
  for (const GuestRam* other : std::initializer_list<const GuestRam*>{&ram, &second, &third}) {
    CHECK(other->bytes(0)[0] == std::byte{1});
    CHECK(other->bytes(0)[kPageBytes] == std::byte{0});
  }
}

TEST_CASE("a template of copy-on-write memory has the pages that were written since, and the older ones") {
  auto ram = make_ram({64 * kMiB});
  ram.bytes(0)[0] = std::byte{1};
  ram.bytes(0)[5 * kPageBytes] = std::byte{2};
  auto child = copy_on_write(take(ram));
  child.bytes(0)[5 * kPageBytes] = std::byte{3};
  child.bytes(0)[6 * kPageBytes] = std::byte{4};
  child.bytes(0).back() = std::byte{5};
  const auto source = take(child);
  CHECK(source.stored_bytes().value() == 4 * kPageBytes);
  CHECK(std::ranges::equal(copy_on_write(source).bytes(0), child.bytes(0)));
}

}  // namespace ktstr::vmm
