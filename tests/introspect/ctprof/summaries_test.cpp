#include "introspect/ctprof/summaries.h"

#include <doctest/doctest.h>

#include <cerrno>

namespace ktstr::introspect::ctprof {
namespace {

ParseTally tally_of(std::initializer_list<std::pair<const char*, int>> failures) {
  ParseTally tally;
  for (const auto& [file, error] : failures) tally.failed(file, error);
  tally.commit();
  return tally;
}

ProbeSummary summary_of(std::initializer_list<ProbeFailure> failures) {
  ProbeTally tally;
  for (const auto failure : failures) tally.failed(failure);
  return tally.summary();
}

}  // namespace

TEST_CASE("failures count once they are committed") {
  ParseTally tally;
  tally.walked();
  tally.failed("io", ENOENT);
  tally.negative(2);
  tally.discard();
  tally.failed("stat", ENOENT);
  tally.negative(3);
  tally.commit();
  const auto summary = tally.summary();
  CHECK(summary.tids_walked == 1);
  CHECK(summary.read_failures == 1);
  CHECK(summary.negative_dotted_values == 3);
  CHECK(summary.dominant_read_failure == "stat");
}

TEST_CASE("of files that failed equally often, the first in the alphabet is named") {
  CHECK(tally_of({{"status", ENOENT}, {"io", ENOENT}}).summary().dominant_read_failure == "io");
  CHECK(!tally_of({}).summary().dominant_read_failure);
}

TEST_CASE("half of the failures in schedstat and io point to the configuration") {
  CHECK(tally_of({{"schedstat", ENOENT}, {"stat", ENOENT}}).summary().kernel_config_dominant);
  CHECK(!tally_of({{"io", ENOENT}, {"stat", ENOENT}, {"stat", ENOENT}}).summary().kernel_config_dominant);
  CHECK(!tally_of({}).summary().kernel_config_dominant);
}

TEST_CASE("refusals point to privileges, not to the configuration") {
  const auto summary = tally_of({{"io", EACCES}, {"smaps_rollup", EACCES}, {"stat", ESRCH}}).summary();
  CHECK(summary.permission_dominant);
  CHECK(!summary.kernel_config_dominant);
  CHECK(summary.read_failures_by_error == std::map<std::string, std::uint64_t>{{"EACCES", 2}, {"ESRCH", 1}});
  const auto sentences = hints(summary, std::nullopt, std::nullopt);
  REQUIRE(sentences.size() == 1);
  CHECK(sentences[0].find("cap_sys_ptrace") != std::string::npos);
}

TEST_CASE("counts of several workers add up") {
  auto tally = tally_of({{"io", ENOENT}});
  tally.add(tally_of({{"io", ENOENT}, {"sched", EACCES}}));
  CHECK(tally.summary().read_failures_by_file ==
        std::map<std::string, std::uint64_t>{{"io", 2}, {"sched", 1}});
}

TEST_CASE("taskstats is hinted at when it was refused or is not there") {
  CHECK(hints(std::nullopt, TaskstatsSummary{5, 1, 0, 0, {}}, {}).empty());
  CHECK(hints(std::nullopt, TaskstatsSummary{0, 6, 0, 0, {}}, {}).at(0).find("CAP_NET_ADMIN") !=
        std::string::npos);
  CHECK(hints(std::nullopt, TaskstatsSummary{0, 0, 0, 0, "no family"}, {}).at(0).find("no family") !=
        std::string::npos);
}

TEST_CASE("what is usual does not count as failed") {
  using enum ProbeFailure;
  const auto summary = summary_of({kNotJemalloc, kNotJemalloc, kGone, kRefused, kFileChanged});
  CHECK(summary.failed == 0);
  CHECK(!summary.dominant_failure);
  CHECK(!summary.privilege_dominant);
  CHECK(summary.outcomes_without_counters.at("jemalloc-not-found") == 2);
}

TEST_CASE("the most frequent failure is named, of several the first in the alphabet") {
  using enum ProbeFailure;
  CHECK(summary_of({kSeize, kDwarfMissing, kNotJemalloc, kNotJemalloc}).dominant_failure == "dwarf-missing");
  CHECK(summary_of({kSeize, kSeize, kDwarfMissing}).dominant_failure == "ptrace-seize");
}

TEST_CASE("refusals to attach or stop dominate from half of the failures on") {
  using enum ProbeFailure;
  CHECK(summary_of({kSeize, kInterrupt, kDwarfMissing, kDwarfMissing}).privilege_dominant);
  CHECK(!summary_of({kSeize, kDwarfMissing, kDwarfMissing}).privilege_dominant);
  const auto sentences = hints({}, {}, summary_of({kSeize}));
  REQUIRE(sentences.size() == 1);
  CHECK(sentences[0].find("ptrace_scope") != std::string::npos);
}

}  // namespace ktstr::introspect::ctprof
