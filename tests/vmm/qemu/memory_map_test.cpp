#include "vmm/qemu/memory_map.h"

#include <doctest/doctest.h>

#include <array>

namespace ktstr::vmm::qemu {
namespace {

constexpr std::uint64_t kGiB = 1ULL << 30;

/// As QEMU 7.2 prints it for a microvm of 4 GiB, shortened, with its "\r\n" line ends.
constexpr std::string_view kSplit =
    "FlatView #0\r\n AS \"I/O\", root: io\r\n Root memory region: io\r\n"
    "  0000000000000000-000000000000001f (prio 0, ram): ram0\r\n\r\n"
    "FlatView #1\r\n AS \"memory\", root: system\r\n AS \"cpu-memory-0\", root: system\r\n"
    " Root memory region: system\r\n"
    "  0000000000000000-00000000000effff (prio 0, ram): ram0\r\n"
    "  00000000000f0000-00000000000fffff (prio 0, ram): pc.bios\r\n"
    "  0000000000100000-00000000bfffffff (prio 0, ram): ram0 @0000000000100000\r\n"
    "  00000000c0000000-00000000dfffffff (prio 0, i/o): gpex_mmio_window @00000000c0000000\r\n"
    "  00000000ffff0000-00000000ffffffff (prio 0, ram): pc.bios\r\n"
    "  0000000100000000-000000013fffffff (prio 0, ram): ram0 @00000000c0000000\r\n\r\n"
    "FlatView #2\r\n AS \"gpex-root\", root: bus master container\r\n Root memory region: (none)\r\n"
    "  No rendered FlatView\r\n\r\n";

}  // namespace

TEST_CASE("RAM below and above the 3 GiB hole is found at its places in the bank") {
  const std::array banks{4 * kGiB};
  const auto ranges = parse_memory_map(kSplit, banks);
  REQUIRE(ranges.has_value());
  CHECK(*ranges == std::vector<RamRange>{{GuestPhys(0), 0xf0000, 0, 0},
                                         {GuestPhys(0x100000), 3 * kGiB - 0x100000, 0, 0x100000},
                                         {GuestPhys(4 * kGiB), kGiB, 0, 3 * kGiB}});
}

TEST_CASE("each NUMA node's bank is told apart") {
  const std::array banks{2 * kGiB, 2 * kGiB};
  const auto ranges = parse_memory_map(
      "FlatView #0\n AS \"memory\", root: system\n"
      "  0000000080000000-00000000bfffffff (prio 0, ram): ram1\n"
      "  0000000000000000-000000007fffffff (prio 0, ram): ram0\n"
      "  0000000100000000-000000013fffffff (prio 0, ram): ram1 @0000000040000000\n",
      banks);
  REQUIRE(ranges.has_value());
  CHECK(*ranges == std::vector<RamRange>{{GuestPhys(0), 2 * kGiB, 0, 0},
                                         {GuestPhys(2 * kGiB), kGiB, 1, 0},
                                         {GuestPhys(4 * kGiB), kGiB, 1, kGiB}});
}

TEST_CASE("a memory map that contradicts the banks is refused") {
  const std::array banks{kGiB};
  const auto map = [](std::string_view range) {
    return "FlatView #0\n AS \"memory\", root: system\n" + std::string(range);
  };
  for (const auto& text :
       {std::string(), map(""), map("  0-ff (prio 0, i/o): ram0\n"), map("  zz-ff (prio 0, ram): ram0\n"),
        map("  00000000-7fffffff (prio 0, ram): ram0\n"), map("  0-fff (prio 0, ram): ram0 @40000000\n"),
        map("  0-fff (prio 0, ram): ram0 @ffffffffffffffff\n"), map("  0-fff (prio 0, ram): ram1\n"),
        map("  0-fff (prio 0, ram): ram0\n  800-1fff (prio 0, ram): ram0 @1000\n")}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_memory_map(text, banks).has_value());
    CHECK(parse_memory_map(text, banks).error().code == ErrorCode::kCorrupt);
  }
}

}  // namespace ktstr::vmm::qemu
