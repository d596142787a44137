// A thread of known behaviour, captured before and after on this host; tests/truth does the same in a guest.
#include <doctest/doctest.h>

#include "tests/introspect/ctprof/subject.h"

namespace ktstr::introspect::ctprof {

TEST_CASE("counters of a living thread move by what it does") {
  const auto captured = subject::capture_around_subject();
  REQUIRE_MESSAGE(captured.has_value(), captured.error().message);
  const auto& before = subject::subject_of(captured->first);
  const auto& after = subject::subject_of(captured->second);
  std::vector<std::string> absent;
  for (const auto& line : subject::deviations(before, after, absent)) FAIL_CHECK(line);
  for (const auto& name : absent) MESSAGE("this kernel does not count ", name);
  CHECK(after.start_time_clock_ticks == before.start_time_clock_ticks);
  CHECK(after.policy == Category{"SCHED_BATCH"});
  CHECK(after.nice == OrdinalI32{subject::kSubjectNice});
  CHECK(after.cpu_affinity == CpuAffinity{std::to_string(after.processor->value)});
}

}  // namespace ktstr::introspect::ctprof
