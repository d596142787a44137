#include "introspect/sched/rq.h"

#include <doctest/doctest.h>

#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect {
namespace {
using namespace test;

struct RunQueue : CpuSnapshot {
  std::optional<KernelVirt> sd;
};

std::optional<RunQueue> read_first(const SchedGuest& guest, const Kernel& kernel, bool counting) {
  RqLayout layout;
  REQUIRE(layout.resolve(guest.btf()));
  StructBytes bytes;
  if (!bytes.capture(kernel, layout, guest.rq(0))) return std::nullopt;
  RunQueue rq;
  layout.fill_cpu(bytes, counting, rq);
  rq.sd = layout.sd.read(bytes);
  return rq;
}

}  // namespace

TEST_CASE("a run queue's members are read where BTF has them") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  guest.set_rq(0, "nr_running", std::uint32_t{3});
  guest.set_rq(0, "clock", std::uint64_t{123'456'789'012});
  guest.set_rq(0, "sd", KernelVirt(0xffff888000001000));
  guest.set_rq(0, "scx.nr_running", std::uint32_t{2});
  guest.set_rq(0, "scx.local_dsq.nr", std::uint32_t{7});
  guest.set_rq(0, "scx.flags", std::uint32_t{5});
  guest.set_rq(1, "nr_running", std::uint32_t{99});

  const auto rq = read_first(guest, kernel, true);
  REQUIRE(rq.has_value());
  CHECK(rq->nr_running == 3);
  CHECK(rq->rq_clock == 123'456'789'012);
  CHECK(rq->sd == KernelVirt(0xffff888000001000));
  CHECK(rq->scx_nr_running == 2);
  CHECK(rq->local_dsq_depth == 7);
  CHECK(rq->scx_flags == 5);
}

TEST_CASE("schedstat counters that do not count are absent, the two that always count are not") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  guest.set_rq(0, "rq_sched_info.run_delay", std::uint64_t{11});
  guest.set_rq(0, "rq_sched_info.pcount", std::uint64_t{12});
  std::uint32_t value = 13;
  for (const auto* name : {"yld_count", "sched_count", "sched_goidle", "ttwu_count", "ttwu_local"})
    guest.set_rq(0, name, value++);

  const auto counting = read_first(guest, kernel, true)->schedstat.value();
  CHECK(counting.run_delay == 11);
  CHECK(counting.pcount == 12);
  CHECK(counting.yld_count == 13);
  CHECK(counting.sched_count == 14);
  CHECK(counting.sched_goidle == 15);
  CHECK(counting.ttwu_count == 16);
  CHECK(counting.ttwu_local == 17);

  const auto standing = read_first(guest, kernel, false)->schedstat.value();
  CHECK(standing.run_delay == 11);
  CHECK(standing.pcount == 12);
  CHECK_FALSE(standing.yld_count.has_value());
  CHECK_FALSE(standing.ttwu_local.has_value());
}

TEST_CASE("what a kernel lacks is absent, and the layout says what and why") {
  KernelShape shape;
  shape.sched_ext = shape.schedstats = false;
  shape.events = EventPlace::kNowhere;
  SchedGuest guest(shape);
  const auto kernel = guest.attach();
  const auto rq = read_first(guest, kernel, true);
  REQUIRE(rq.has_value());
  CHECK_FALSE(rq->scx_nr_running.has_value());
  CHECK_FALSE(rq->local_dsq_depth.has_value());
  CHECK_FALSE(rq->scx_flags.has_value());
  CHECK_FALSE(rq->schedstat.has_value());

  RqLayout layout;
  REQUIRE(layout.resolve(guest.btf()));
  const auto missing = layout.missing();
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].capability == "sched_ext run queues");
  CHECK(missing[0].reason ==
        "struct rq: no scx.nr_running, scx.local_dsq.nr, scx.flags (CONFIG_SCHED_CLASS_EXT)");
  CHECK(missing[1].capability == "schedstat");
  CHECK(missing[1].reason ==
        "struct rq: no rq_sched_info.run_delay, rq_sched_info.pcount, yld_count, sched_count, sched_goidle, "
        "ttwu_count, "
        "ttwu_local (CONFIG_SCHEDSTATS)");
}

TEST_CASE("a complete kernel misses nothing") {
  RqLayout layout;
  REQUIRE(layout.resolve(SchedGuest().btf()));
  CHECK(layout.missing().empty());
}

TEST_CASE("a run queue in unmapped memory is no run queue") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  RqLayout layout;
  REQUIRE(layout.resolve(guest.btf()));
  StructBytes bytes;
  CHECK_FALSE(bytes.capture(kernel, layout, KernelVirt(0xffffc90000000000)));
}

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
