#include "vmm/qemu/monitor_text.h"

#include <doctest/doctest.h>

namespace ktstr::vmm::qemu {

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
