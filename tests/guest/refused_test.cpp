// Schedulers that the kernel does not take: the first line says why, in the words of whoever refused.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/report/text.h"
#include "tests/guest/guest_fixture.h"
#include "tests/temporary_directory.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace ktstr::engine::testing;
using namespace std::chrono_literals;

namespace {

struct Refused {
  RunReport report;
  std::string first_line;
};

Refused run_refused(const std::filesystem::path& program, std::vector<std::string> args,
                    const std::filesystem::path& directory, std::vector<std::string> kernel_args = {}) {
  auto scenario = small_scenario("refused");
  SchedulerDef scheduler;
  scheduler.name = "mine";
  scheduler.path = std::filesystem::canonical(program);
  scheduler.args = std::move(args);
  scenario.scheduler = scheduler;
  scenario.kernel_args = std::move(kernel_args);
  auto report = run_scenario(scenario, {.dump_dir = directory});
  REQUIRE_MESSAGE(report.has_value(), report.error().message);
  const auto text = to_text(*report);
  MESSAGE(text);
  CHECK(report->verdict == Outcome::kFail);
  REQUIRE(report->schedulers.size() == 1);
  CHECK(report->schedulers[0].fate == SchedulerFate::kRefused);
  return {std::move(*report), text.substr(0, text.find('\n'))};
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a program that the verifier refuses is told with its name, error, place and the verifier's word") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  if (!std::filesystem::exists(REFUSED_SCHEDULER)) SKIP_TEST("refused_scheduler is not built yet");
  const test::TemporaryDirectory directory;
  const auto [report, line] = run_refused(REFUSED_SCHEDULER, {"unchecked"}, directory.path());
  CHECK(contains(line,
                 "the scheduler mine was not attached: the verifier refused its program "
                 "unchecked_enqueue (EACCES) at unchecked.bpf.c:"));
  CHECK(contains(line, "invalid mem access 'map_value_or_null'; its program ended (exited 1)"));
}

TEST_CASE("a verifier's log of many thousand lines is in a file, and its last word in the first line") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  if (!std::filesystem::exists(REFUSED_SCHEDULER)) SKIP_TEST("refused_scheduler is not built yet");
  const test::TemporaryDirectory directory;
  const auto [report, line] = run_refused(REFUSED_SCHEDULER, {"endless"}, directory.path());
  CHECK(contains(line, "the verifier refused its program endless_enqueue (E2BIG)"));
  CHECK(contains(line, " at endless.bpf.c:"));
  CHECK(contains(line, " too complex."));
  const auto& scheduler = report.schedulers[0];
  CHECK(scheduler.log.size() <= 401);
  const auto path = directory.path() / "refused.mine.log";
  CHECK(contains(line, " lines of its output are in " + path.string()));
  CHECK(scheduler.log_file == path.string());
  const auto log = content(path);
  CHECK(std::count(log.begin(), log.end(), '\n') > 50'000);
  const auto lines = std::to_string(std::count(log.begin(), log.end(), '\n'));
  CHECK(contains(line, "; all " + lines + " lines of its output are in "));
  CHECK(contains(log, "-- BEGIN PROG LOAD LOG --"));
  CHECK(log.ends_with("could not load the scheduler\n"));
}

TEST_CASE("what the kernel itself says against a scheduler is the cause") {
  if (!default_kernel()) SKIP_TEST("no kernel is cached");
  if (!std::filesystem::exists(SCX_KTSTR)) SKIP_TEST("scx_ktstr is not built yet");
  const test::TemporaryDirectory directory;
  const auto [report, line] = run_refused(SCX_KTSTR, {}, directory.path(), {"isolcpus=1"});
  CHECK(contains(line, "the kernel refused it: Not compatible with \"isolcpus=\" domain isolation"));
}
