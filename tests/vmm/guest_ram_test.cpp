#include "vmm/guest_ram.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "engine/base/units.h"
#include "tests/vmm/mebibyte.h"

namespace ktstr::vmm {

TEST_CASE("each bank has its size, begins as zeros and is the memory of its descriptor") {
  const std::uint64_t sizes[] = {2 * kMiB, 4 * kMiB};
  const auto ram = GuestRam::create(sizes);
  REQUIRE(ram.has_value());
  REQUIRE(ram->bank_count() == 2);
  CHECK(ram->bytes(0).size() == 2 * kMiB);
  CHECK(ram->bytes(1).size() == 4 * kMiB);
  CHECK(ram->bytes(1)[4 * kMiB - 1] == std::byte{0});
  ram->bytes(1)[4 * kMiB - 1] = std::byte{7};
  std::byte seen{};
  REQUIRE(::pread(ram->fd(1), &seen, 1, 4 * kMiB - 1) == 1);
  CHECK(seen == std::byte{7});
}

TEST_CASE("a moved RAM keeps its mapping, and what it was moved from has none") {
  const std::uint64_t size = 2 * kMiB;
  auto first = GuestRam::create(std::span(&size, 1));
  REQUIRE(first.has_value());
  first->bytes(0)[0] = std::byte{1};
  const GuestRam second(std::move(*first));
  CHECK(first->bank_count() == 0);
  CHECK(second.bytes(0)[0] == std::byte{1});
}

TEST_CASE("memory that is not to be had is told with its size") {
  const std::uint64_t size = 1ULL << 60;
  const auto refused = GuestRam::create(std::span(&size, 1));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find(format_byte_size(ByteSize{size}) + " of guest memory") !=
        std::string::npos);
}

}  // namespace ktstr::vmm
