#include "engine/ctprof/texts.h"

#include <doctest/doctest.h>

#include <limits>

namespace ktstr::engine {

using namespace introspect::ctprof;

TEST_CASE("numbers have the unit that fits them") {
  CHECK(format_number(0, "ns") == "0ns");
  CHECK(format_number(999, "ns") == "999ns");
  CHECK(format_number(12'345, "ns") == "12.3us");
  CHECK(format_number(1.5e9, "ns") == "1.5s");
  CHECK(format_number(4.5e11, "ns") == "450s");
  CHECK(format_number(-2'000'000, "ns") == "-2.0ms");
  CHECK(format_number(4096, "bytes") == "4.0KiB");
  CHECK(format_number(12, "bytes") == "12B");
  CHECK(format_number(250, "ticks") == "2.50s");
  CHECK(format_number(1.0 / 3, "ratio") == "0.333");
  CHECK(format_number(123456, "") == "123456");
  CHECK(format_number(12.5, "") == "12.5");
  CHECK(format_number(2'500'000, "") == "2.5M");
}

TEST_CASE("values of every rule are readable") {
  CHECK(format_aggregate({}, "ns") == "-");
  CHECK(format_aggregate(Total{1000}, "ns") == "1.0us");
  CHECK(format_aggregate(Range{-2, 3}, "") == "-2..3");
  CHECK(format_aggregate(Range{4, 4}, "") == "4");
  CHECK(format_aggregate(Mode{"R", 2, 3}, "") == "R (2/3)");
  CHECK(format_aggregate(Mode{"R", 3, 3}, "") == "R");
  CHECK(format_aggregate(AffinityUnion{"0-3", 4, 4, true}, "cpus") == "0-3 (4 cpus)");
  CHECK(format_aggregate(AffinityUnion{"0-3,8", 1, 4, false}, "cpus") == "0-3,8 (mixed, 1..4 cpus)");
}

TEST_CASE("relative changes are percent, or new") {
  CHECK(format_relative(0.125) == "+12.5%");
  CHECK(format_relative(-1.0) == "-100.0%");
  CHECK(format_relative(std::numeric_limits<double>::infinity()) == "new");
  CHECK(format_relative({}) == "");
}

}  // namespace ktstr::engine
