// Captures fetched from guests, of which some say what is not so.
#include "engine/run/ctprof_captures.h"

#include <doctest/doctest.h>

#include <functional>

#include "engine/protocol/base64.h"
#include "engine/run/scheduler_setup.h"
#include "introspect/ctprof/file.h"
#include "introspect/ctprof/zstd_stream.h"
#include "tests/temporary_directory.h"

namespace ktstr::engine {
namespace {

namespace ctprof = introspect::ctprof;
using Captured = protocol::Captured;

/// Sends a capture of these bytes, 10 ms a message; what it says can be made something else.
class CapturedGuest : public Guest {
 public:
  explicit CapturedGuest(std::string sent) : bytes(std::move(sent)) {}

  std::string bytes;
  std::function<void(Captured&)> announce = [](auto&) {};
  std::function<void(std::string&)> send = [](auto&) {};
  std::size_t parts = 0;

  Result<protocol::Reply> exchange(protocol::Request request) override {
    now_.ns += 10'000'000;
    if (const auto* read = std::get_if<protocol::ReadCapture>(&request)) return part(read->offset);
    Captured captured{bytes.size()};
    announce(captured);
    return captured;
  }
  Duration now() const override { return now_; }
  Result<WaitEnd> wait_until(Duration) override { return WaitEnd::kMoment; }

 private:
  Result<protocol::Reply> part(std::uint64_t offset) {
    ++parts;
    auto some = bytes.substr(offset, protocol::kMaxCapturePartBytes);
    send(some);
    return protocol::CapturePart{protocol::encode_base64(some)};
  }

  Duration now_;
};

ctprof::Snapshot two_threads() {
  ctprof::Snapshot snapshot;
  snapshot.threads.resize(2);
  snapshot.threads[1].comm = "worker";
  return snapshot;
}

/// A capture whose file has more than two full parts: names that don't compress.
ctprof::Snapshot large() {
  ctprof::Snapshot snapshot;
  std::uint64_t random = 1;
  for (int i = 0; i < 2500; ++i) {
    auto& comm = snapshot.threads.emplace_back().comm.emplace();
    for (int j = 0; j < 1200; ++j)
      comm += static_cast<char>('!' + (random = random * 6364136223846793005 + 1) % 89);
  }
  return snapshot;
}

struct CaptureOutcome {
  Status status;
  std::vector<CtprofReport> reports;
};

CaptureOutcome capture(Guest& guest, const std::filesystem::path& directory) {
  CaptureOutcome outcome;
  CtprofCaptures captures(guest, {directory, "my scenario"}, outcome.reports);
  outcome.status = captures.capture(3, "before");
  return outcome;
}

/// The error of a capture that is refused; nothing of it may be left.
std::string refusal(CapturedGuest guest) {
  const test::TemporaryDirectory directory;
  const auto outcome = capture(guest, directory.path());
  CHECK(std::filesystem::is_empty(directory.path()));
  CHECK(outcome.reports.empty());
  return outcome.status ? "taken" : outcome.status.error().message;
}

std::string zeros(std::size_t size) {
  ctprof::ZstdStream stream;
  for (std::size_t i = 0; i < size; ++i) stream.Put(' ');
  return stream.finish().value();
}

}  // namespace

TEST_CASE("a capture is written under the scenario's name and its tag, and reported") {
  const test::TemporaryDirectory directory;
  CapturedGuest guest(ctprof::compress_snapshot(two_threads()).value());
  const auto [status, reports] = capture(guest, directory.path() / "made");
  REQUIRE(status);
  REQUIRE(reports.size() == 1);
  const auto& report = reports[0];
  CHECK(report.file == (directory.path() / "made/my_scenario.before.ctprof.zst").string());
  CHECK(report.step == 3);
  CHECK(report.tag == "before");
  CHECK(report.elapsed_ns == 0);
  CHECK(report.took_ns == 20'000'000);
  CHECK(report.threads == 2);
  CHECK(ctprof::read_snapshot(*report.file).value() == two_threads());
}

TEST_CASE("a large capture comes in parts") {
  const test::TemporaryDirectory directory;
  const auto snapshot = large();
  CapturedGuest guest(ctprof::compress_snapshot(snapshot).value());
  const auto [status, reports] = capture(guest, directory.path());
  REQUIRE(status);
  CHECK(guest.parts == 3);
  CHECK(ctprof::read_snapshot(*reports[0].file).value() == snapshot);
}

TEST_CASE("a file that can't be written is a problem in the report") {
  const test::TemporaryDirectory directory;
  CapturedGuest guest(ctprof::compress_snapshot(two_threads()).value());
  const auto [status, reports] = capture(guest, directory.write("file", "") / "below");
  REQUIRE(status);
  CHECK_FALSE(reports[0].file.has_value());
  CHECK(reports[0].problem->find("Not a directory") != std::string::npos);
}

TEST_CASE("what is no capture is refused") {
  CHECK(refusal(CapturedGuest("")) == "\"before\": not compressed with zstd");
  CHECK(refusal(CapturedGuest("rubbish")) == "\"before\": not compressed with zstd");
  CHECK(refusal(CapturedGuest(zeros(3))).starts_with("\"before\": "));
  auto cut = ctprof::compress_snapshot(two_threads()).value();
  cut.pop_back();
  CHECK(refusal(CapturedGuest(cut)) == "\"before\": cut off");
}

TEST_CASE("a few bytes that decompress to more than a guest may send are refused") {
  const CapturedGuest guest(zeros(CtprofCaptures::kLimits.json_bytes + 1'000'000));
  CHECK(guest.bytes.size() < 100'000);
  CHECK(refusal(guest) == "\"before\": more than 67108864 bytes when decompressed");
}

TEST_CASE("a guest that announces too much, or sends something else than it announced, is refused") {
  CapturedGuest guest(ctprof::compress_snapshot(two_threads()).value());
  const auto size = std::to_string(guest.bytes.size());
  auto huge = guest;
  huge.announce = [](Captured& captured) { captured.bytes = protocol::kMaxCaptureBytes + 1; };
  CHECK(refusal(huge) ==
        "\"before\": the agent announced a capture of 67108865 bytes, above the limit of 67108864");
  auto nothing = guest;
  nothing.send = [](std::string& part) { part.clear(); };
  CHECK(refusal(nothing) == "\"before\": the agent sent 0 bytes of a capture instead of " + size);
  auto more = guest;
  more.send = [](std::string& part) { part += '\0'; };
  CHECK(refusal(more) == "\"before\": the agent sent " + std::to_string(guest.bytes.size() + 1) +
                             " bytes of a capture instead of " + size);
}

TEST_CASE("a scenario with a ctprof op boots with everything counted, and its own arguments win") {
  Scenario scenario;
  scenario.kernel_args = {"schedstats=disable"};
  CHECK(kernel_args_of(scenario) == std::vector<std::string>{"schedstats=disable"});
  scenario.steps = {{.ops = {CtprofOp{"before"}}, .setup = {}, .hold = {}}};
  CHECK(kernel_args_of(scenario) ==
        std::vector<std::string>{"delayacct", "schedstats=enable", "schedstats=disable"});
}

}  // namespace ktstr::engine
