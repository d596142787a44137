#include "introspect/dump/dump.h"

#include <doctest/doctest.h>

#include <fstream>

#include "introspect/dump/sparse.h"
#include "tests/introspect/dump/sample_dump.h"
#include "tests/introspect/scratch_file.h"

using namespace ktstr;
using namespace ktstr::introspect;
using ktstr::introspect::testing::sample_report;

namespace {

/// Everything but the names of fields: equal texts are equal dumps, as a text holds all there is.
std::string text_of(const FailureDump& dump) {
  return std::visit([](const auto& report) { return to_json(report); }, dump);
}

std::string error_of(std::string_view json) {
  const auto dump = parse_dump(json);
  REQUIRE_FALSE(dump);
  CHECK(dump.error().code == ErrorCode::kCorrupt);
  return dump.error().message;
}

/// How many of a record's members are written.
template <class T>
std::size_t members_of(const T& record) {
  const auto tree = parse_json(to_json(record));
  return tree->template get_if<Value::Object>()->size();
}

}  // namespace

TEST_CASE("the sample report fills every member, so that a round trip checks all of them") {
  // is_placeholder and the maps' empty families are all that may stay as they are
  CHECK(members_of(sample_report()) == describe<FailureDumpReport>.kFieldCount);
}

TEST_CASE("a report read back from its file is the report") {
  const test::ScratchFile file;
  const FailureDump dump = sample_report();
  REQUIRE(write_dump(file.path(), dump));
  const auto read = read_dump(file.path());
  REQUIRE_MESSAGE(read, read.error().message);
  CHECK(text_of(*read) == text_of(dump));
  const auto& maps = std::get<FailureDumpReport>(*read).maps;
  const auto expected = ktstr::introspect::testing::sample_maps();
  REQUIRE(maps.size() == expected.size());
  CHECK(maps[0].value == expected[0].value);
  CHECK(maps[1].entries[0].payload == expected[1].entries[0].payload);
  CHECK_FALSE(maps[2].array_entries[1].value);
  CHECK_FALSE(maps[3].percpu_entries[0].per_cpu[1]);
}

TEST_CASE("degraded and dual dumps are read as what they are") {
  DegradedFailureDumpReport degraded;
  degraded.reason = "late";
  degraded.vcpu_regs = {std::nullopt, VcpuRegSnapshot{}};
  degraded.exit_kind = 1026;
  const auto read = parse_dump(to_json(degraded));
  REQUIRE(read);
  CHECK(text_of(*read) == to_json(degraded));
  DualFailureDumpReport dual;
  dual.late = sample_report();
  dual.early_skipped_reason = "nobody waited";
  const auto both = parse_dump(to_json(dual));
  REQUIRE(both);
  CHECK(text_of(*both) == to_json(dual));
}

TEST_CASE("what is empty is not written and not missed") {
  const auto json = to_json(FailureDumpReport{});
  CHECK(json.find("event_counter_timeline") == std::string::npos);
  CHECK(json.find("dump_truncated_at_us") == std::string::npos);
  CHECK(parse_dump(json));
}

TEST_CASE("a damaged, foreign or future file is told apart") {
  CHECK(error_of("{\"schema\":").find("JSON, byte") != std::string::npos);
  CHECK(error_of("{\"verdict\":\"pass\"}") == "not a dump: it has no \"schema\"");
  CHECK(error_of("[1, 2]") == "not a dump: it has no \"schema\"");
  CHECK(error_of("{\"schema\":7}") == "not a dump: it has no \"schema\"");
  CHECK(error_of("{\"schema\":\"triple\"}").find("\"triple\" is none that this version knows") !=
        std::string::npos);
  auto json = to_json(sample_report());
  json.insert(1, "\"brand_new\":1,");
  CHECK(error_of(json).find("brand_new") != std::string::npos);
}

TEST_CASE("of a newer minor version, what is not known is left out with a note") {
  auto json = to_json(sample_report());
  const std::string format = "\"format\":\"" + kDumpFormat.to_string() + "\"";
  json.replace(json.find(format), format.size(), "\"format\":\"1.99\",\"brand_new\":[1]");
  std::string note;
  const auto dump = parse_dump(json, &note);
  REQUIRE(dump);
  CHECK(to_json(std::get<FailureDumpReport>(*dump)) == to_json(sample_report()));
  CHECK(note == "written by a newer ktstr (format 1.99; this one reads " + kDumpFormat.to_string() +
                    "): left out 1 unknown member: brand_new");
}

TEST_CASE("a newer major version is refused whatever else is in the file") {
  const auto dump = parse_dump(R"({"schema":"brand_new","format":"2.0","maps":1})");
  CHECK(dump.error().code == ErrorCode::kUnavailable);
  CHECK(dump.error().message ==
        "written by a newer ktstr (format 2.0; this one reads 1.x): use a ktstr of that version or newer");
}

TEST_CASE("a dump from before there were versions is read") {
  auto json = to_json(sample_report());
  const std::string format = "\"format\":\"" + kDumpFormat.to_string() + "\",";
  json.erase(json.find(format), format.size());
  const auto dump = parse_dump(json);
  REQUIRE(dump);
  CHECK(to_json(std::get<FailureDumpReport>(*dump)) == to_json(sample_report()));
}

TEST_CASE("a value of a wrong kind is named with its place") {
  auto json = to_json(sample_report());
  const std::string value = "\"maps_truncated\":3";
  json.replace(json.find(value), value.size(), "\"maps_truncated\":-3");
  CHECK(error_of(json).find("maps_truncated") != std::string::npos);
}

TEST_CASE("every text cut short is refused") {
  const auto json = to_json(sample_report());
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < json.size(); size += 97)
    accepted += parse_dump(std::string_view(json).substr(0, size)) ? 1 : 0;
  CHECK(accepted == 0);
}

TEST_CASE("values nested without end are refused") {
  std::string json = R"({"schema":"single","maps":)";
  for (int i = 0; i < 100'000; ++i) json += "[";
  CHECK(error_of(json).find("JSON") != std::string::npos);
}

TEST_CASE("a file that can't be written leaves nothing behind") {
  const auto written = write_dump("/nowhere/at/all.json", FailureDumpReport{});
  REQUIRE_FALSE(written);
  CHECK(written.error().message.find("/nowhere/at/all.json") != std::string::npos);
}

TEST_CASE("a placeholder says why in every section") {
  const auto report = FailureDumpReport::placeholder("the vCPUs did not stop");
  CHECK(report.is_placeholder);
  CHECK(report.scx_walker_unavailable == "the vCPUs did not stop");
  CHECK(report.task_enrichments_unavailable == "the vCPUs did not stop");
  CHECK(report.schema == "single");
}
