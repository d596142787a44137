#include <doctest/doctest.h>

#include "tests/vmm/kvm/loading_guest.h"
#include "tests/vmm/tiny_kernel.h"

namespace ktstr::vmm::kvm {
namespace {

struct Range {
  std::uint64_t begin, end;
  std::uint32_t type;
  friend bool operator==(const Range&, const Range&) = default;
};

constexpr std::uint32_t kRam = 1, kReserved = 2;

std::vector<Range> memory_map(std::vector<std::uint64_t> banks) {
  test::LoadingGuest guest(std::move(banks));
  REQUIRE(guest.load(vmm::test::TinyKernel().bytes()).has_value());
  const auto params = guest.params();
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < params.e820_entries; ++i) {
    const boot_e820_entry entry = params.e820_table[i];
    ranges.push_back({entry.addr, entry.addr + entry.size, entry.type});
  }
  return ranges;
}

}  // namespace

TEST_CASE("the memory map has RAM to its end, but for a reserved gap below 1 MiB") {
  CHECK(memory_map({64 * kMiB}) ==
        std::vector<Range>{{0, 0x9fc00, kRam}, {0x9fc00, kMiB, kReserved}, {kMiB, 64 * kMiB, kRam}});
}

TEST_CASE("RAM beyond 3 GiB is in the memory map from 4 GiB on") {
  CHECK(memory_map({4096 * kMiB}) == std::vector<Range>{{0, 0x9fc00, kRam},
                                                        {0x9fc00, kMiB, kReserved},
                                                        {kMiB, 3072 * kMiB, kRam},
                                                        {4096 * kMiB, 5120 * kMiB, kRam}});
}

TEST_CASE("exactly 3 GiB leave nothing for above 4 GiB") {
  CHECK(memory_map({3072 * kMiB}).back() == Range{kMiB, 3072 * kMiB, kRam});
}

TEST_CASE("banks that touch are one range of the memory map") {
  CHECK(memory_map({64 * kMiB, 64 * kMiB, 64 * kMiB}).back() == Range{kMiB, 192 * kMiB, kRam});
}

}  // namespace ktstr::vmm::kvm
