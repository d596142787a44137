#include "introspect/ctprof/file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "introspect/ctprof/zstd_stream.h"
#include "tests/introspect/ctprof/staged_tree.h"

namespace ktstr::introspect::ctprof {
namespace {

Snapshot sample() {
  const test::StagedTree tree;
  tree.add_thread(3, 3, "na\xc3\xafve \"\n");
  tree.add_thread(3, 4, "b");
  tree.write("sys/fs/cgroup/work/memory.max", "max\n");
  tree.write("sys/fs/cgroup/work/memory.high", "4096\n");
  tree.write("sys/kernel/sched_ext/state", "enabled\n");
  auto snapshot = tree.capture();
  snapshot.threads[1].wait_max = PeakNs{~std::uint64_t{0}};
  snapshot.taskstats_summary = TaskstatsSummary{1, 2, 3, 4, "why"};
  return snapshot;
}

std::string message_for(std::string_view bytes) {
  const auto snapshot = parse_snapshot(bytes);
  return snapshot ? "" : snapshot.error().message;
}

std::string compressed(std::string_view json) {
  ZstdStream stream;
  for (const char c : json) stream.Put(c);
  return stream.finish().value();
}

}  // namespace

TEST_CASE("a file gives back what was written") {
  const ktstr::test::TemporaryDirectory directory;
  const auto path = directory.path() / "a.ctprof.zst";
  const auto written = sample();
  REQUIRE(write_snapshot(path, written));
  const auto back = read_snapshot(path);
  REQUIRE_MESSAGE(back, back.error().message);
  CHECK(*back == written);
  CHECK(!std::filesystem::exists(path.string() + ".part"));
}

TEST_CASE("absent metrics are null, not 0") {
  ThreadRecord record;
  record.nr_wakeups = MonotonicCount{0};
  const auto json = to_json(record);
  CHECK(json.find("\"nr_wakeups\":0,") != std::string::npos);
  CHECK(json.find("\"wait_sum\":null,") != std::string::npos);
  CHECK(json.find("\"state\":null,") != std::string::npos);
}

TEST_CASE("what is cut off, damaged or followed by something is refused") {
  const auto whole = compress_snapshot(sample()).value();
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{3}, std::size_t{10}, whole.size() / 2, whole.size() - 1})
    CHECK_MESSAGE(!parse_snapshot(std::string_view(whole).substr(0, size)), size);
  CHECK(message_for(std::string_view(whole).substr(0, whole.size() - 1)) == "cut off");
  CHECK(message_for(whole + "x") == "something follows the end of the compressed data");
  auto damaged = whole;
  damaged[damaged.size() / 2] ^= 0x55;
  CHECK(!message_for(damaged).empty());
}

TEST_CASE("foreign and future files are told apart") {
  CHECK(message_for("{}") == "not compressed with zstd");
  CHECK(message_for(compressed("hello")).find("byte") != std::string::npos);
  CHECK(message_for(compressed("{\"format\":\"other\"}")) == "not a capture of ktstr ctprof");
  CHECK(message_for(compressed("{\"format\":\"ktstr-ctprof\"}")) == "a capture without a version");
  CHECK(message_for(compressed("{\"format\":\"ktstr-ctprof\",\"version\":2}")) ==
        "written by a newer ktstr (format 2.0; this one reads 1.x): use a ktstr of that version or newer");
}

TEST_CASE("of a newer minor version, what is not known is left out with a note") {
  const auto written = sample();
  auto json = to_json(written);
  json.replace(json.find("\"version_minor\":1"), 17, "\"version_minor\":9,\"colour\":[1]");
  json.replace(json.find("\"tid\""), 5, "\"mood\":3,\"tid\"");
  std::string note;
  CHECK(parse_snapshot(compressed(json), {}, &note).value() == written);
  CHECK(note ==
        "written by a newer ktstr (format 1.9; this one reads 1.1): left out 2 unknown members: colour, "
        "threads[1].mood");
}

TEST_CASE("an older capture has no minor version") {
  const auto written = sample();
  auto json = to_json(written);
  json.replace(json.find("\"version_minor\":1,"), 18, "");
  CHECK(parse_snapshot(compressed(json)).value() == written);
}

TEST_CASE("a member that is not known is an error that names the nearest") {
  auto json = to_json(sample());
  json.replace(json.find("\"nr_wakeups\""), 12, "\"nr_wakeup\"");
  const auto message = message_for(compressed(json));
  CHECK(message.find("threads[1].nr_wakeup") != std::string::npos);
  CHECK(message.find("\"nr_wakeups\"") != std::string::npos);
}

TEST_CASE("a file that is not there is not found") {
  CHECK(read_snapshot("/nonexistent/x.zst").error().code == ErrorCode::kNotFound);
}

TEST_CASE("what would fill the memory is refused") {
  CHECK(decompress(compressed(std::string(1 << 20, ' ')), 1000).error().message.find("more than") == 0);
  CHECK(decompress(compressed(""), 1000).value().empty());
}

TEST_CASE("a small file that would become gigabytes in memory is refused early") {
  std::string zeros = "[0";
  for (int i = 0; i < 1'000'000; ++i) zeros += ",0";
  const auto bomb = compressed(zeros + "]");
  CHECK(bomb.size() < 1000);
  CHECK(message_for(bomb).ends_with("too many values for so short a text"));
  auto json = to_json(sample());
  json.replace(json.find("\"na"), 3, "\"" + std::string(100'000, 'x') + "na");
  CHECK(message_for(compressed(json)).find("at most 65536 are taken") != std::string::npos);
}

TEST_CASE("a reader says how many values it takes") {
  const auto whole = compress_snapshot(sample()).value();
  CHECK(parse_snapshot(whole, {.values = 1000}).has_value());
  CHECK(parse_snapshot(whole, {.values = 100}).error().message.ends_with("more than 100 values"));
}

}  // namespace ktstr::introspect::ctprof
