#include "engine/dump/diff.h"

#include <doctest/doctest.h>

#include "tests/introspect/dump/sample_dump.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::introspect::testing::record_value;
using ktstr::introspect::testing::sample_report;

namespace {

std::vector<std::string> lines(const introspect::FailureDump& before, const introspect::FailureDump& after,
                               const DiffOptions& options = {}) {
  const auto found = diff(before, after, options);
  REQUIRE_MESSAGE(found, found.error().message);
  std::vector<std::string> lines;
  for (const auto& difference : found->differences) lines.push_back(difference.to_text());
  return lines;
}

}  // namespace

TEST_CASE("a dump does not differ from itself") {
  CHECK(lines(sample_report(), sample_report()).empty());
}

TEST_CASE("values are compared by name, whatever their order") {
  auto after = sample_report();
  std::swap(after.maps[0], after.maps[1]);
  std::swap(after.task_enrichments[0], after.task_enrichments[1]);
  CHECK(lines(sample_report(), after).empty());
  after.maps[0].entries[0].value = record_value(8);
  after.task_enrichments[1].nice = 3;
  CHECK(lines(sample_report(), after) ==
        std::vector<std::string>{"maps[hash].entries[key_hex 01 00].value.nr_enqueued: 3 -> 8 (+5)",
                                 "task_enrichments[pid 12].nice: 0 -> 3 (+3)"});
}

TEST_CASE("what came and what went is told") {
  auto after = sample_report();
  after.task_enrichments.pop_back();
  after.maps[2].array_entries.push_back({2, introspect::testing::number(6)});
  const auto told = lines(sample_report(), after);
  REQUIRE(told.size() == 2);
  CHECK(told[0] == "+ maps[array].array_entries[key 2]: {\"key\":2,\"value\":6}");
  CHECK(told[1].substr(0, 30) == "- task_enrichments[pid 13]: {\"");
}

TEST_CASE("what is different in any two dumps is left out, counted, and shown when it is asked for") {
  auto after = sample_report();
  after.origin.frozen_ns = 1;
  after.maps[0].map_kva = 1;
  after.maps[0].id = 99;
  after.task_enrichments[0].task_kva = 2;
  after.task_enrichments[0].nvcsw = 3;
  const auto found = diff(sample_report(), after);
  REQUIRE(found);
  CHECK(found->differences.empty());
  CHECK(found->left_out.to_text() == "left out: 2 addresses, 1 id, 2 counters and clocks (--all shows them)");
  const auto all = diff(sample_report(), after, {.all = true});
  REQUIRE(all);
  CHECK(all->differences.size() == 5);
  CHECK(all->left_out.to_text().empty());
}

TEST_CASE("a pointer that a map holds is an address, whatever it points to") {
  const auto with_pointer = [](std::uint64_t address) {
    auto report = sample_report();
    report.maps[0].value = introspect::RenderedValue{introspect::RenderedPtr{address, {}}};
    return report;
  };
  const auto found = diff(with_pointer(0xffff'8880'0000'1000), with_pointer(0xffff'8880'0000'2000));
  REQUIRE(found);
  CHECK(found->differences.empty());
  CHECK(found->left_out.addresses == 1);
  CHECK(lines(with_pointer(0x1000), with_pointer(0x2000), {.all = true}) ==
        std::vector<std::string>{"maps[scx_ktst.bss].value: \"&0x1000\" -> \"&0x2000\""});
}

TEST_CASE("what a scheduler keeps under a counter's name is its state") {
  const auto with_member = [](std::uint64_t value) {
    auto report = sample_report();
    introspect::RenderedStruct record;
    record.members.push_back({"nr_switches", introspect::testing::number(value)});
    report.maps[0].value = introspect::RenderedValue{std::move(record)};
    return report;
  };
  CHECK(lines(with_member(1), with_member(2)) ==
        std::vector<std::string>{"maps[scx_ktst.bss].value.nr_switches: 1 -> 2 (+1)"});
}

TEST_CASE("one map or one part is compared alone") {
  auto after = sample_report();
  after.maps[0].entries.clear();
  after.maps[1].max_entries = 77;
  after.task_enrichments[0].nice = 3;
  const auto name = after.maps[1].name;
  CHECK(lines(sample_report(), after, {.map = name}).size() == 1);
  CHECK(lines(sample_report(), after, {.only = "task_enrichments[pid 12]"}) ==
        std::vector<std::string>{"task_enrichments[pid 12].nice: 0 -> 3 (+3)"});
  CHECK(diff(sample_report(), after, {.map = "arary"}).error().message ==
        "neither dump has a map \"arary\" (did you mean \"array\"?)");
  CHECK(diff(sample_report(), after, {.only = "task_enrichment[pid 1]"}).error().message ==
        "neither dump has a member \"task_enrichment\" (did you mean \"task_enrichments\"?)");
}

TEST_CASE("differences as JSON keep their values") {
  auto after = sample_report();
  after.task_enrichments[0].nice = 3;
  CHECK(to_json(*diff(sample_report(), after)) ==
        R"({"differences":[{"path":"task_enrichments[pid 12].nice","kind":"state","before":0,"after":3}],)"
        R"("left_out":{"addresses":0,"ids":0,"counters":0}})");
}

TEST_CASE("numbers beyond 2^53 are exact") {
  auto after = sample_report();
  after.maps[0].value = record_value(18'446'744'073'709'551'613U);
  CHECK(lines(sample_report(), after) ==
        std::vector<std::string>{
            "maps[scx_ktst.bss].value.nr_enqueued: 18446744073709551615 -> 18446744073709551613 (-2)"});
}
