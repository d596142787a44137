#include "introspect/sched/events.h"

#include <doctest/doctest.h>

#include "tests/introspect/fake_btf.h"
#include "tests/introspect/sched/sched_guest.h"

namespace ktstr::introspect {
namespace {
using namespace test;

KernelShape events_at(EventPlace place) {
  KernelShape shape;
  shape.events = place;
  return shape;
}

std::string reason_without_events(const KernelShape& shape) {
  const SchedGuest guest(shape);
  const auto reader = EventReader::create(guest.attach());
  return reader ? "available" : reader.error().message;
}

}  // namespace

TEST_CASE("counters are read from every place that kernels have kept them in") {
  for (const auto place : {EventPlace::kPerCpuSymbol, EventPlace::kSchedMember, EventPlace::kSchedPcpu}) {
    CAPTURE(static_cast<int>(place));
    SchedGuest guest(events_at(place));
    const auto kernel = guest.attach();
    auto reader = EventReader::create(kernel);
    REQUIRE(reader.has_value());
    CHECK_FALSE(reader->locate(kernel).value().has_value());

    const auto scheduler = guest.load_scheduler();
    guest.set_event(0, "SCX_EV_SELECT_CPU_FALLBACK", 4);
    guest.set_event(1, "SCX_EV_SELECT_CPU_FALLBACK", 5);
    guest.set_event(1, "SCX_EV_SUB_RESCUE", 6);
    const auto source = reader->locate(kernel).value();
    REQUIRE(source.has_value());
    CHECK(source->scheduler == scheduler);
    CHECK(number_of(*reader->read(kernel, *source, 0), "select_cpu_fallback") == 4);
    CHECK(number_of(*reader->read(kernel, *source, 1), "select_cpu_fallback") == 5);
    CHECK(reader->read(kernel, *source, 1)->other == std::vector<std::int64_t>{0, 6});

    guest.unload_scheduler();
    CHECK_FALSE(reader->locate(kernel).value().has_value());
  }
}

TEST_CASE("counter names are the kernel's own; the renamed one keeps its field; unknown ones are listed") {
  KernelShape shape;
  shape.event_members = {"SCX_EV_REENQ_REPEAT", "SCX_EV_NEW_THING", "SCX_EV_BYPASS_DURATION", "ODD_ONE"};
  SchedGuest guest(shape);
  const auto kernel = guest.attach();
  auto reader = EventReader::create(kernel).value();
  CHECK(reader.layout().other_names() == std::vector<std::string>{"new_thing", "odd_one"});
  guest.load_scheduler();
  guest.set_event(0, "SCX_EV_REENQ_REPEAT", 1);
  guest.set_event(0, "SCX_EV_NEW_THING", 2);
  guest.set_event(0, "SCX_EV_BYPASS_DURATION", -3);
  guest.set_event(0, "ODD_ONE", 4);
  const auto counters = reader.read(kernel, **reader.locate(kernel), 0).value();
  CHECK(number_of(counters, "reenq_local_repeat") == 1);
  CHECK(number_of(counters, "bypass_duration") == -3);
  CHECK(counters.other == std::vector<std::int64_t>{2, 4});
  CHECK_FALSE(number_of(counters, "select_cpu_fallback").has_value());
}

TEST_CASE("all thirteen counters are known by their kernel names") {
  KernelShape shape;
  shape.event_members.clear();
  for (const auto* name :
       {"SELECT_CPU_FALLBACK", "DISPATCH_LOCAL_DSQ_OFFLINE", "DISPATCH_KEEP_LAST", "ENQ_SKIP_EXITING",
        "ENQ_SKIP_MIGRATION_DISABLED", "REENQ_IMMED", "REENQ_LOCAL_REPEAT", "REFILL_SLICE_DFL",
        "BYPASS_DURATION", "BYPASS_DISPATCH", "BYPASS_ACTIVATE", "INSERT_NOT_OWNED", "SUB_BYPASS_DISPATCH"})
    shape.event_members.push_back("SCX_EV_" + std::string(name));
  CHECK(EventLayout::resolve(SchedGuest(shape).btf())->other_names().empty());
}

TEST_CASE("a kernel without counters says why") {
  KernelShape none = events_at(EventPlace::kNowhere);
  CHECK(reason_without_events(none) == "no struct scx_event_stats in the kernel's BTF");
  CHECK(reason_without_events({}) == "available");
}

TEST_CASE("a structure too small for its counters, or with one outside it, is refused") {
  const auto resolve = [](std::uint32_t bytes, std::vector<FakeBtf::Member> members) {
    FakeBtf btf;
    const int word = btf.integer("long", 8);
    for (auto& member : members) member.type = word;
    btf.structure("scx_event_stats", bytes, members);
    return EventLayout::resolve(btf.parsed());
  };
  for (std::uint32_t bytes = 1; bytes < 8; ++bytes) {
    CAPTURE(bytes);
    CHECK(resolve(bytes, {{"SCX_EV_X", 0, 0}}).error().code == ErrorCode::kCorrupt);
    CHECK(resolve(bytes, {{"SCX_EV_X", 0, 0x4000'0000}}).error().code == ErrorCode::kCorrupt);
  }
  CHECK(resolve(16, {{"SCX_EV_X", 0, 64}}).has_value());
  CHECK(resolve(16, {{"SCX_EV_X", 0, 72}}).error().code == ErrorCode::kCorrupt);
  CHECK(resolve(16, {{"SCX_EV_X", 0, 4, 60}}).error().code == ErrorCode::kCorrupt);
  CHECK(resolve(16, {{"SCX_EV_X", 0, 0x8000'0000}}).error().code == ErrorCode::kCorrupt);
  CHECK(resolve(8, {{"SCX_EV_X", 0, 0}, {"SCX_EV_Y", 0, 0}}).error().message ==
        "struct scx_event_stats: more counters than it has room for");
}

TEST_CASE("pointers that lead nowhere are errors") {
  SchedGuest guest;
  const auto kernel = guest.attach();
  auto reader = EventReader::create(kernel).value();
  guest.write(guest.scx_root(), KernelVirt(0x1234));
  CHECK(reader.locate(kernel).error().code == ErrorCode::kCorrupt);
  guest.write(guest.scx_root(), KernelVirt(0xffffc90000000000));
  CHECK(reader.locate(kernel).error().message == "the scx_sched at scx_root can't be read");

  const auto scheduler = guest.load_scheduler();
  guest.set(scheduler, "scx_sched", "pcpu", KernelVirt(0x10));
  const auto source = reader.locate(kernel).value();
  REQUIRE(source.has_value());
  CHECK(reader.read(kernel, *source, 1).error().message == "event counters of cpu1 can't be read");
  CHECK(reader.read(kernel, *source, 2).error().code == ErrorCode::kOutOfRange);
}

}  // namespace ktstr::introspect
