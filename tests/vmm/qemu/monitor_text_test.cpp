#include <doctest/doctest.h>

#include <array>

#include "vmm/qemu/monitor_text.h"

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

TEST_CASE("each CPU's interrupt table is read from the monitor's text") {
  const auto bases = parse_idt_bases(
      "\r\nCPU#0\r\nRAX=0\r\nGDT=     fffffe0000001000 0000007f\r\nIDT=     fffffe0000000000 00000fff\r\n"
      "\r\nCPU#1\r\nIDT=     00000000 0000ffff\r\n\r\nCPU#9\r\nIDT=     00000001 0000ffff\r\n",
      3);
  REQUIRE(bases.size() == 3);
  CHECK(bases[0] == 0xfffffe0000000000);
  CHECK(bases[1] == 0);
  CHECK_FALSE(bases[2].has_value());
}

TEST_CASE("text without CPUs tells of none") {
  for (const char* text : {"", "IDT= 1 2\n", "CPU#x\nIDT= 1 2\n", "CPU#0\nIDT= zz\n"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_idt_bases(text, 1)[0].has_value());
  }
}

TEST_CASE("a thread that runs one CPU is that CPU's, one that runs several is nobody's") {
  const auto own = parse_json(R"([{"cpu-index": 0, "thread-id": 11}, {"cpu-index": 1, "thread-id": 12}])");
  CHECK(parse_thread_ids(*own, 2) == std::vector<std::optional<int>>{11, 12});
  const auto shared = parse_json(R"([{"cpu-index": 0, "thread-id": 11}, {"cpu-index": 1, "thread-id": 11}])");
  CHECK(parse_thread_ids(*shared, 2) == std::vector<std::optional<int>>(2));
  const auto odd = parse_json(R"([{"cpu-index": 5, "thread-id": 11}, {"cpu-index": -1}, 7])");
  CHECK(parse_thread_ids(*odd, 2) == std::vector<std::optional<int>>(2));
}

TEST_CASE("a version is QEMU's own, and its package's where one is named") {
  const auto version = [](const char* answer) { return parse_version_answer(*parse_json(answer)); };
  CHECK(version(R"({"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian 1:7.2"})") ==
        "7.2.22 (Debian 1:7.2)");
  CHECK(version(R"({"qemu": {"micro": 2, "minor": 0, "major": 10}, "package": ""})") == "10.0.2");
  CHECK_FALSE(version(R"({"qemu": {"micro": 2, "major": 10}})").has_value());
  CHECK_FALSE(version(R"({"qemu": 7})").has_value());
  CHECK_FALSE(version("[]").has_value());
}

}  // namespace ktstr::vmm::qemu
