#include "introspect/sched/schedstats_switch.h"

#include <doctest/doctest.h>

#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect {
using namespace test;

TEST_CASE("the switch follows the kernel's static key") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  const auto schedstats = SchedstatsSwitch::find(kernel);
  CHECK(schedstats.is_on(kernel));
  guest.set_schedstats_switch(0);
  CHECK_FALSE(schedstats.is_on(kernel));
  CHECK(schedstats.reason() == "kernel.sched_schedstats is 0");
}

TEST_CASE("a kernel without schedstats is off for good") {
  KernelShape shape;
  shape.schedstats = false;
  const SchedGuest guest(shape);
  const auto kernel = guest.attach();
  const auto schedstats = SchedstatsSwitch::find(kernel);
  CHECK_FALSE(schedstats.is_on(kernel));
  CHECK(schedstats.reason() == "no symbol sched_schedstats (CONFIG_SCHEDSTATS)");
}

}  // namespace ktstr::introspect
