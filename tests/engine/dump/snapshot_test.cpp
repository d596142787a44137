#include "engine/dump/snapshot.h"

#include <doctest/doctest.h>

#include "tests/introspect/dump/sample_dump.h"

using namespace ktstr;
using namespace ktstr::engine;
using ktstr::introspect::testing::map_named;
using ktstr::introspect::testing::record_value;
using ktstr::introspect::testing::sample_report;

namespace {

Value snapshot_of(const introspect::FailureDump& dump) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  write_snapshot(writer, dump);
  auto tree = parse_json({buffer.GetString(), buffer.GetSize()});
  REQUIRE(tree);
  return *tree;
}

}  // namespace

TEST_CASE("a global section's variables are members of the map of its name") {
  const auto snapshot = snapshot_of(sample_report());
  const auto* section = snapshot.find("maps")->find("scx_ktst.bss");
  REQUIRE(section);
  CHECK(*section->find("nr_enqueued")->get_if<std::uint64_t>() == 18'446'744'073'709'551'615U);
  CHECK(*section->find("negative")->get_if<std::int64_t>() == -7);
  CHECK(*section->find("name")->get_if<std::string>() == "abc");
}

TEST_CASE("other maps are what a file has of them, with plain values") {
  const auto snapshot = snapshot_of(sample_report());
  const auto* entries = snapshot.find("maps")->find("hash")->find("entries")->get_if<Value::List>();
  REQUIRE(entries);
  CHECK(*(*entries)[0].find("value")->find("nr_enqueued")->get_if<std::int64_t>() == 3);
  CHECK(snapshot.find("map_list")->get_if<Value::List>()->size() == 12);
}

TEST_CASE("of two maps with one name, that of the loaded scheduler is taken") {
  auto report = sample_report();
  auto other = map_named("scx_ktst.bss", 0xffff888000ff0000);
  other.value = record_value(1);
  report.maps.push_back(other);
  CHECK(maps_by_name(report).at("scx_ktst.bss")->map_kva == 0xffff888000001000);
  report.active_map_kvas = {other.map_kva};
  CHECK(maps_by_name(report).at("scx_ktst.bss")->map_kva == other.map_kva);
}

TEST_CASE("a degraded dump is passed on as it is") {
  introspect::DegradedFailureDumpReport report;
  report.reason = "late";
  CHECK(*snapshot_of(report).find("reason")->get_if<std::string>() == "late");
}
