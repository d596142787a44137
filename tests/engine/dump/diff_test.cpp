#include "engine/dump/diff.h"

#include <doctest/doctest.h>

#include "tests/introspect/dump/sample_dump.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::introspect::testing::record_value;
using ktstr::introspect::testing::sample_report;

namespace {

std::vector<std::string> lines(const introspect::FailureDump& before, const introspect::FailureDump& after) {
  const auto differences = diff(before, after);
  REQUIRE(differences);
  std::vector<std::string> lines;
  for (const auto& difference : *differences) lines.push_back(difference.to_text());
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
  after.task_enrichments[1].nvcsw = 3;
  CHECK(lines(sample_report(), after) ==
        std::vector<std::string>{"maps[hash].entries[key_hex 01 00].value.nr_enqueued: 3 -> 8 (+5)",
                                 "task_enrichments[pid 12].nvcsw: 0 -> 3 (+3)"});
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

TEST_CASE("addresses and the dump's own times are no differences") {
  auto after = sample_report();
  after.origin.frozen_ns = 1;
  after.maps[0].map_kva = 1;
  after.task_enrichments[0].task_kva = 2;
  after.event_counter_timeline.clear();
  CHECK(lines(sample_report(), after).empty());
}

TEST_CASE("numbers beyond 2^53 are exact") {
  auto after = sample_report();
  after.maps[0].value = record_value(18'446'744'073'709'551'613U);
  CHECK(lines(sample_report(), after) ==
        std::vector<std::string>{
            "maps[scx_ktst.bss].value.nr_enqueued: 18446744073709551615 -> 18446744073709551613 (-2)"});
}
