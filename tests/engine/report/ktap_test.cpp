#include "engine/report/ktap.h"

#include <doctest/doctest.h>

#include "tests/engine/report/sample_report.h"
#include "tests/hostile_text.h"

using namespace ktstr::engine;
using namespace ktstr::engine::testing;

namespace {

RunReport with_verdict(Outcome verdict, std::string name) {
  RunReport report;
  report.scenario = std::move(name);
  report.verdict = verdict;
  return report;
}

std::string to_ktap(const std::vector<RunReport>& reports) {
  auto text = ktap_plan(reports.size());
  for (std::size_t i = 0; i < reports.size(); ++i) text += ktap_test(i + 1, reports[i]);
  return text;
}

}  // namespace

TEST_CASE("a test that could not be run is not ok, with the reason") {
  CHECK(ktap_error(2, "bad # SKIP", "bad.lua:2: topologie: unknown key\nsecond line") ==
        "# bad.lua:2: topologie: unknown key\n# second line\nnot ok 2 bad   SKIP\n");
}

TEST_CASE("loops of a scheduler's log are shown once") {
  auto report = with_verdict(Outcome::kFail, "big");
  SchedulerReport scheduler;
  scheduler.name = "s";
  scheduler.problem = "refused";
  scheduler.log = {"1: x", "1: x", "1: x"};
  report.schedulers = {scheduler};
  CHECK(to_ktap({report}).find("# s: 1: x\n# s: ... this line 2 times more\nnot ok") != std::string::npos);
}

TEST_CASE("a pass is ok") {
  const std::vector reports{passing_report()};
  CHECK(to_ktap(reports) == "KTAP version 1\n1..1\nok 1 hello\n");
}

TEST_CASE("failures are diagnostics before their result") {
  auto report = with_verdict(Outcome::kFail, "steady");
  report.failures = {{"max_gap", "cgroup web: too long", "web", 1}, {"check", "two\nlines", {}, {}}};
  CHECK(to_ktap(std::vector{report}) ==
        "KTAP version 1\n1..1\n# cgroup web: too long\n# two\n# lines\nnot ok 1 steady\n");
}

TEST_CASE("a skip and an inconclusive run give their reasons") {
  auto skip = with_verdict(Outcome::kSkip, "ext");
  skip.reason = "kernel 6.12 has no sched_ext";
  auto inconclusive = with_verdict(Outcome::kInconclusive, "killed");
  inconclusive.reason = "the emulator was killed by signal 9";
  CHECK(to_ktap(std::vector{skip, inconclusive}) ==
        "KTAP version 1\n1..2\nok 1 ext # SKIP kernel 6.12 has no sched_ext\n"
        "# inconclusive: the emulator was killed by signal 9\nnot ok 2 killed\n");
}

TEST_CASE("a name can't end its line or begin a directive") {
  CHECK(to_ktap(std::vector{with_verdict(Outcome::kPass, "a # SKIP\nok 2")}) ==
        "KTAP version 1\n1..1\nok 1 a   SKIP ok 2\n");
}

TEST_CASE("nothing that a report quotes is a line of KTAP or reaches the terminal raw") {
  const auto& hostile = ktstr::testing::kHostileText;
  auto report = with_verdict(Outcome::kFail, hostile);
  report.failures = {{"check", hostile, {}, {}}};
  report.emulator_faults = {hostile};
  report.reason = hostile;
  SchedulerReport scheduler;
  scheduler.name = scheduler.problem.emplace() = hostile;
  scheduler.expected = true;
  scheduler.log = {hostile};
  report.schedulers = {scheduler};
  auto skip = report, inconclusive = report;
  skip.verdict = Outcome::kSkip;
  inconclusive.verdict = Outcome::kInconclusive;
  for (const auto& one : {report, skip, inconclusive}) {
    const auto text = to_ktap(std::vector{one});
    ktstr::testing::check_harmless(text.substr(text.find("1..1") + 4));
  }
}

TEST_CASE("no reports make an empty plan") {
  CHECK(to_ktap({}) == "KTAP version 1\n1..0\n");
}
