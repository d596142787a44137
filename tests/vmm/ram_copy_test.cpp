#include "vmm/ram_copy.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "tests/vmm/ram_to_copy.h"

namespace ktstr::vmm {
namespace {

using test::kPageBytes, test::make_ram, test::take;

}  // namespace

TEST_CASE("a copy of a template equals the memory that it was taken of, in every bank") {
  auto ram = make_ram({4 * kMiB, 2 * kMiB});
  ram.bytes(0)[0] = std::byte{1};
  ram.bytes(0)[3 * kMiB] = std::byte{2};
  ram.bytes(1).back() = std::byte{3};
  const auto copy = take(ram);
  auto fork = make_ram({4 * kMiB, 2 * kMiB});
  REQUIRE(copy.copy_into(fork).has_value());
  CHECK(std::ranges::equal(fork.bytes(0), ram.bytes(0)));
  CHECK(std::ranges::equal(fork.bytes(1), ram.bytes(1)));
}

TEST_CASE("a template has the pages that were touched and no others") {
  auto ram = make_ram({64 * kMiB});
  CHECK(take(ram).stored_bytes().value() == 0);
  ram.bytes(0)[5 * kPageBytes] = std::byte{1};
  ram.bytes(0)[6 * kPageBytes] = std::byte{1};
  ram.bytes(0)[60 * kMiB] = std::byte{1};
  CHECK(take(ram).stored_bytes().value() == 3 * kPageBytes);
}

TEST_CASE("writes after the copy are seen on neither of the other sides") {
  auto ram = make_ram({2 * kMiB});
  ram.bytes(0)[0] = std::byte{1};
  const auto copy = take(ram);
  auto first = make_ram({2 * kMiB}), second = make_ram({2 * kMiB});
  REQUIRE(copy.copy_into(first).has_value());
  ram.bytes(0)[0] = std::byte{2};
  first.bytes(0)[0] = std::byte{3};
  REQUIRE(copy.copy_into(second).has_value());
  CHECK(second.bytes(0)[0] == std::byte{1});
  CHECK(ram.bytes(0)[0] == std::byte{2});
}

TEST_CASE("a template can be neither written nor resized, but mapped privately") {
  auto ram = make_ram({2 * kMiB});
  ram.bytes(0)[0] = std::byte{1};
  const auto copy = take(ram);
  CHECK(::pwrite(copy.fd(0), "x", 1, 0) == -1);
  CHECK(::ftruncate(copy.fd(0), 0) == -1);
  CHECK(::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, copy.fd(0), 0) == MAP_FAILED);
  void* mapped = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, copy.fd(0), 0);
  REQUIRE(mapped != MAP_FAILED);
  CHECK(*static_cast<std::byte*>(mapped) == std::byte{1});
  ::munmap(mapped, kPageBytes);
}

TEST_CASE("memory of another shape is refused") {
  const auto copy = take(make_ram({2 * kMiB}));
  auto larger = make_ram({4 * kMiB}), more = make_ram({2 * kMiB, 2 * kMiB});
  CHECK(copy.copy_into(larger).error().code == ErrorCode::kInvalidArgument);
  CHECK(copy.copy_into(more).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("memory that is mapped for writing can't be sealed") {
  const Fd memory(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  REQUIRE(::ftruncate(memory.get(), kPageBytes) == 0);
  void* mapped = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory.get(), 0);
  REQUIRE(mapped != MAP_FAILED);
  CHECK_FALSE(seal_ram(memory.get()).has_value());
  ::munmap(mapped, kPageBytes);
  CHECK(seal_ram(memory.get()).has_value());
}

}  // namespace ktstr::vmm
