#include "engine/run/performance_arguments.h"

#include <doctest/doctest.h>

using namespace ktstr;
using namespace ktstr::engine;

TEST_CASE("arguments of a machine's performance say it again") {
  CHECK(performance_arguments({}).empty());
  CHECK(performance_arguments({.pin_vcpus = true, .prefault = true}) == " --pin --prefault");
  CHECK(performance_arguments({.realtime_priority = 5, .halt_poll = std::chrono::microseconds(200)}) ==
        " --realtime=5 --halt-poll 200us");
  CHECK(performance_arguments({.halt_poll = Duration(0), .huge_pages = true}) ==
        " --halt-poll 0s --hugepages");
}

TEST_CASE("all of it is one argument, and what differs") {
  auto all = vmm::full_performance();
  CHECK(vmm::check_performance(all).has_value());
  CHECK(performance_arguments(all) == " --performance");
  all.realtime_priority = 50;
  CHECK(performance_arguments(all) == " --performance --realtime=50");
}
