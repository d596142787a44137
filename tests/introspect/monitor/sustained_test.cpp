#include "introspect/monitor/sustained.h"

#include <doctest/doctest.h>

namespace ktstr::introspect {

TEST_CASE("a run is sustained from its N-th consecutive violation on") {
  SustainedViolationTracker<int> tracker;
  CHECK_FALSE(tracker.sustained(1));
  tracker.record(true, 10, 0);
  tracker.record(true, 11, 1);
  CHECK(tracker.sustained(2));
  CHECK_FALSE(tracker.sustained(3));
  CHECK(tracker.consecutive() == 2);
}

TEST_CASE("a sample that meets the threshold ends the run but not the memory of it") {
  SustainedViolationTracker<int> tracker;
  tracker.record(true, 1, 0);
  tracker.record(true, 2, 1);
  tracker.record(false, 0, 2);
  tracker.record(true, 99, 3);
  CHECK(tracker.consecutive() == 1);
  CHECK(tracker.worst_run() == 2);
  CHECK(tracker.worst_value() == 2);
  CHECK(tracker.worst_at() == 1);
}

TEST_CASE("the worst value is the last one of the longest run, and of equal runs the first counts") {
  SustainedViolationTracker<int> tracker;
  CHECK(tracker.record(true, 50, 0));
  CHECK(tracker.record(true, 7, 1));
  CHECK_FALSE(tracker.record(false, 0, 2));
  CHECK_FALSE(tracker.record(true, 90, 3));
  CHECK_FALSE(tracker.record(true, 91, 4));
  CHECK(tracker.worst_value() == 7);
  CHECK(tracker.record(true, 92, 5));
  CHECK(tracker.worst_value() == 92);
  CHECK(tracker.worst_at() == 5);
}

TEST_CASE("a violation of zero is sustained by any series") {
  CHECK(SustainedViolationTracker<int>().sustained(0));
}

}  // namespace ktstr::introspect
