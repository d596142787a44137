#include "engine/report/json.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "engine/base/write.h"
#include "tests/engine/report/sample_report.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using ktstr::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

std::size_t files_in(const TemporaryDirectory& directory) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(directory.path()), fs::directory_iterator()));
}

/// Files may not grow beyond `bytes` while it lives: what a full disk looks like to a writer.
struct FileSizeLimit {
  rlimit former{};
  explicit FileSizeLimit(rlim_t bytes) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &former);
    const rlimit limit{bytes, former.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &former); }
};

}  // namespace

TEST_CASE("a report reads back as it was written") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "report.json";
  auto report = passing_report();
  report.failures = {{"max_gap", "too long", "web", 101}};
  report.emulator_faults = {"int3"};
  report.map_readings = {{1, 5, "before", 12, "only_cpu", {}, {introspect::RenderedInt{32, -1}}}};
  REQUIRE(write_json_file(report, path));
  const auto back = read_json_file(path);
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(report));
  CHECK(back->timeline.events[1].op == "set_cpuset");
  CHECK(back->workers[0].reports[1].tid == 102);
  CHECK(back->map_readings.at(0).value.as_i64() == -1);
  auto at = back->monitor->samples.begin();
  CHECK((++at)->cpus[0].nr_running == 3);
  CHECK(files_in(directory) == 1);
}

TEST_CASE("an empty report reads back too") {
  const auto back = from_json<RunReport>(to_json(RunReport{}));
  REQUIRE(back);
  CHECK(to_json(*back) == to_json(RunReport{}));
  CHECK_FALSE(back->monitor);
}

TEST_CASE("of a report of a newer minor version, what is not known is left out with a note") {
  auto json = to_json(passing_report());
  const std::string format = "\"format\":\"" + kRunReportFormat.to_string() + "\"";
  json.replace(json.find(format), format.size(), "\"format\":\"1.99\",\"brand_new\":{}");
  std::string note;
  const auto report = parse_json_report(json, &note);
  REQUIRE(report);
  CHECK(to_json(*report) == to_json(passing_report()));
  CHECK(note == "written by a newer ktstr (format 1.99; this one reads " + kRunReportFormat.to_string() +
                    "): left out 1 unknown member: brand_new");
  json.replace(json.find("\"1.99\""), 6, "\"2.0\"");
  CHECK(parse_json_report(json).error().message ==
        "written by a newer ktstr (format 2.0; this one reads 1.x): use a ktstr of that version or newer");
}

TEST_CASE("a report from before there were minor versions is read") {
  const auto report = parse_json_report(R"({"format_version":1,"scenario":"old"})");
  REQUIRE(report);
  CHECK(report->scenario == "old");
  CHECK_FALSE(report->started_at);
}

TEST_CASE("absent numbers are null") {
  const auto json = to_json(RunReport{});
  CHECK(json.find("\"boot_ns\":null") != std::string::npos);
  CHECK(json.find("\"monitor\":null") != std::string::npos);
}

TEST_CASE("an existing file is replaced whole") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "report.json";
  auto report = passing_report();
  REQUIRE(write_json_file(report, path));
  report.scenario = "second";
  REQUIRE(write_json_file(report, path));
  CHECK(read_json_file(path)->scenario == "second");
  CHECK(files_in(directory) == 1);
}

TEST_CASE("a full disk leaves no half file, and the former one as it was") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "report.json";
  auto report = passing_report();
  REQUIRE(write_json_file(report, path));
  report.scenario = "second";
  {
    const FileSizeLimit limit(100);
    const auto status = write_json_file(report, path);
    REQUIRE_FALSE(status);
    CHECK(status.error().message.starts_with("JSON report " + path.string() + ": write "));
    CHECK(status.error().message.ends_with(" bytes (100 done): File too large"));
  }
  CHECK(read_json_file(path)->scenario == "hello");
  CHECK(files_in(directory) == 1);
}

TEST_CASE("a full device is an error") {
  const auto status = write_json_file(passing_report(), "/dev/full");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kIo);
  CHECK(status.error().message.starts_with("JSON report /dev/full: write "));
  CHECK(status.error().message.ends_with(" bytes: No space left on device"));
}

TEST_CASE("a directory that is missing is named") {
  const auto status = write_json_file(passing_report(), "/nonexistent/report.json");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kNotFound);
}

TEST_CASE("bulk beyond the caps is thinned evenly, and said so") {
  auto report = passing_report();
  report.monitor->samples = {};
  for (std::uint64_t i = 0; i < 10; ++i) {
    auto next = sample(100, 1, 1);
    next.elapsed_ms = i;
    report.monitor->samples.add(next);
  }
  report.workers[0].reports[0].wake_latencies_ns = {1, 2, 3, 4, 5};
  report.workers[0].reports[0].wake_latencies_total = 5;
  const auto thin = thinned(report, {.samples = 4, .wake_latencies = 2});
  CHECK(thin.monitor->samples.size() == 4);
  std::vector<std::uint64_t> times;
  for (const auto& kept : thin.monitor->samples) times.push_back(kept.elapsed_ms);
  CHECK(times == std::vector<std::uint64_t>{0, 3, 6, 9});
  CHECK(thin.sampling.sample_stride == 3);
  CHECK(thin.workers[0].reports[0].wake_latencies_ns == std::vector<std::uint64_t>{1, 4});
  CHECK(thin.workers[0].reports[0].wake_latencies_total == 5);
}
