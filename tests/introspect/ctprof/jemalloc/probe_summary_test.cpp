#include "introspect/ctprof/probe_summary.h"

#include <doctest/doctest.h>

#include "introspect/ctprof/summaries.h"

namespace ktstr::introspect::ctprof {
namespace {

ProbeSummary summary_of(std::initializer_list<ProbeFailure> failures) {
  ProbeTally tally;
  for (const auto failure : failures) tally.failed(failure);
  return tally.summary();
}

}  // namespace

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
