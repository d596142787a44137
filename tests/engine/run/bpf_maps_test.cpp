#include "engine/run/bpf_maps.h"

#include <doctest/doctest.h>

#include <functional>

#include "engine/run/step_runner.h"
#include "tests/engine/freeze/fake_machine.h"
#include "tests/engine/run/fake_guest.h"
#include "tests/introspect/bpf/section_guest.h"

using namespace ktstr;
using namespace ktstr::engine;
using introspect::test::SectionGuest;

namespace {

/// Its maps change when it is frozen.
struct ChangingMachine : testing::FakeMachine {
  std::function<void()> on_freeze = [] {};
  ChangingMachine() : FakeMachine(2) {}
  Result<vmm::FrozenState> freeze(Duration deadline) override {
    on_freeze();
    return FakeMachine::freeze(deadline);
  }
};

/// A guest with the section ktstr.data (map 1), and the ops on it.
struct Maps : SectionGuest {
  ChangingMachine machine;
  testing::FakeGuest agent;
  std::vector<MapReading> readings;
  introspect::Kernel kernel = attach();
  BpfMaps ops = make_ops();

  BpfMaps make_ops() {
    machine.regions = {{GuestPhys(0), ram()}};
    return {machine, kernel, agent, readings};
  }
  Status write(const std::string& variable, decltype(Value::data) value,
               const std::string& name = "ktstr.data") {
    return ops.apply(1, WriteBpfMapOp{name, variable, Value{std::move(value)}});
  }
  Status read(const std::string& variable, const std::string& name = "ktstr.data") {
    return ops.apply(3, ReadBpfMapOp{name, variable, "reading"});
  }
  Status pin(const std::string& name, std::optional<std::string> given = {}) {
    return ops.apply(1, PinBpfMapOp{name, std::move(given)});
  }
  /// What a read gives: the value as text, or the error.
  std::string shown(const std::string& variable, const std::string& name = "ktstr.data") {
    const auto status = read(variable, name);
    return status ? to_text(readings.back().value) : status.error().message;
  }
};

}  // namespace

TEST_CASE("what fits one access is written while the guest runs") {
  Maps maps;
  REQUIRE(maps.write("limit", std::uint64_t{4'000'000'000}));
  REQUIRE(maps.write("delta", std::int64_t{-5}));
  REQUIRE(maps.write("on", true));
  REQUIRE(maps.write("rate", 2.5));
  REQUIRE(maps.write("name", "web"));
  CHECK(maps.at<std::uint32_t>(0) == 4'000'000'000);
  CHECK(maps.at<std::int8_t>(4) == -5);
  CHECK(maps.at<bool>(5));
  CHECK(maps.at<double>(16) == 2.5);
  CHECK(maps.at<char>(8) == 'w');
  CHECK(maps.machine.freezes == 0);
}

TEST_CASE("a bitfield and what is larger are written into a guest that stands still") {
  Maps maps;
  REQUIRE(maps.write("tuning[0].high", std::int64_t{9}));
  CHECK(maps.machine.freezes == 1);
  REQUIRE(maps.write("label", "longer than 8"));
  CHECK(maps.machine.freezes == 2);
  CHECK(maps.machine.depth == 0);
  CHECK(maps.at<std::uint32_t>(24) == 0x90);
  CHECK(maps.at<char>(56) == 'l');
}

TEST_CASE("a guest that does not stand still, or not go on, is an error") {
  Maps maps;
  SUBCASE("one vCPU does not stop: nothing is written") {
    maps.machine.state.vcpus[1].reset();
    maps.machine.state.not_stopped = {1};
    CHECK(maps.write("tuning[0].high", std::int64_t{9}).error().message == "not every vCPU could be stopped");
    CHECK(maps.at<std::uint32_t>(24) == 0);
    CHECK(maps.machine.depth == 0);
  }
  SUBCASE("it can't be stopped") {
    maps.machine.freeze_error = Error{ErrorCode::kGuestFailed, "gone"};
    CHECK(maps.write("label", "x").error().message == "gone");
  }
  SUBCASE("it can't be set going") {
    maps.machine.thaw_error = Error{ErrorCode::kTimeout, "stuck"};
    CHECK(maps.write("label", "x").error().message == "stuck");
  }
}

TEST_CASE("what can't be written says why") {
  Maps maps;
  CHECK(maps.write("limit", std::int64_t{-1}).error().message == "-1 does not fit unsigned int");
  CHECK(maps.write("limti", true).error().message ==
        "no variable limti in ktstr.data (did you mean \"limit\"?)");
  CHECK(maps.write("limit", true, "ktstr.dta").error().message ==
        "there is no BPF map called ktstr.dta (did you mean \"ktstr.data\"?)");
  CHECK(maps.write("limit", Value::List{}).error().message == "no variable can hold a list");
  maps.set(maps.map, "bpf_map", "frozen", std::uint8_t{1});
  CHECK(maps.write("limit", true).error().message ==
        "map ktstr.data is frozen: user space may not change it");
}

TEST_CASE("a variable is read with its type, and the report says when and where") {
  Maps maps;
  maps.agent.request_time = Duration(std::chrono::milliseconds(7));
  REQUIRE(maps.write("delta", std::int64_t{-5}));
  REQUIRE(maps.pin("ktstr.data"));
  REQUIRE(maps.read("delta"));
  REQUIRE(maps.readings.size() == 1);
  const auto& reading = maps.readings[0];
  CHECK(reading.step == 3);
  CHECK(reading.elapsed_ns == 7'000'000);
  CHECK(reading.map == "ktstr.data");
  CHECK(reading.map_id == 1);
  CHECK(reading.variable == "delta");
  CHECK(reading.name == "reading");
  CHECK(reading.value == introspect::RenderedValue{introspect::RenderedInt{8, -5}});
  CHECK(maps.machine.freezes == 0);
}

TEST_CASE("bitfields, texts and whole structures are read, large ones of a guest that stands still") {
  Maps maps;
  REQUIRE(maps.write("tuning[1].low", std::int64_t{6}));
  REQUIRE(maps.write("name", "web"));
  maps.machine.freezes = 0;
  CHECK(maps.shown("tuning[1].low") == "6");
  CHECK(maps.shown("name") == "\"web\"");
  CHECK(maps.machine.freezes == 0);
  CHECK(maps.shown("tuning[1]") == "tuning{low=6, high=0, sign=0, two=0, slots=[all 3 zero]}");
  CHECK(maps.machine.freezes == 1);
}

TEST_CASE("what can't be read is an error, and no reading") {
  Maps maps;
  CHECK(maps.shown("nothing").starts_with("no variable nothing in ktstr.data"));
  maps.set(maps.map, "bpf_map", "btf", KernelVirt{});
  CHECK(maps.shown("limit") == "its variables are unknown: the map has no BTF");
  maps.set(maps.map, "bpf_map", "btf", introspect::test::BpfGuest::kUnmapped);
  CHECK(maps.shown("limit").starts_with("its variables are unknown: "));
  CHECK(maps.readings.empty());
}

TEST_CASE("a map that goes while its variable is read or written is an error") {
  Maps maps;
  maps.machine.on_freeze = [&] { maps.set(maps.map, "bpf_map", "id", std::uint32_t{0}); };
  SUBCASE("read") {
    CHECK(maps.shown("tuning") == "the map was freed in the meantime");
    CHECK(maps.readings.empty());
  }
  SUBCASE("written") {
    CHECK(maps.write("label", "x").error().message == "the map was freed in the meantime");
    CHECK(maps.at<char>(56) == 0);
  }
}

TEST_CASE("a list of maps with a gap is not searched: the map in question may be in it") {
  Maps maps;
  const KernelVirt other = maps.add_section("other.data");
  maps.set(other, "bpf_map", "id", std::uint32_t{9});
  CHECK(maps.shown("limit") ==
        "the guest's list of BPF maps can't be read whole: map 2: says that its id is 9");
}

TEST_CASE("of two maps of one name none is guessed") {
  Maps maps;
  maps.add_section("ktstr.data");
  CHECK(
      maps.shown("limit") ==
      "ktstr.data is ambiguous: the maps 1, 2 are called so, and the running scheduler does not tell which");
}

TEST_CASE("a pin asks the agent once, and its name stands for that very map") {
  Maps maps;
  REQUIRE(maps.write("limit", std::int64_t{5}));
  REQUIRE(maps.pin("ktstr.data", "before"));
  REQUIRE(maps.pin("ktstr.data", "before"));
  REQUIRE(maps.pin("before"));
  CHECK(maps.agent.log == std::vector<std::string>{"pin_bpf_map @0"});
  CHECK(maps.agent.last<protocol::PinBpfMap>().id == 1);
  maps.add_section("ktstr.data");
  CHECK(maps.shown("limit", "before") == "5");
  CHECK(maps.readings.back().map == "before");
  CHECK(maps.readings.back().map_id == 1);
}

TEST_CASE("a pin's name is not given to another map") {
  Maps maps;
  maps.add_section("other.data");
  REQUIRE(maps.pin("ktstr.data", "before"));
  CHECK(maps.pin("other.data", "before").error().message ==
        "\"before\" stands for map 1 already, not for map 2");
  CHECK(maps.agent.requests.size() == 1);
}

TEST_CASE("a pin that the agent refuses is none") {
  Maps maps;
  maps.agent.before_answer = [](const auto&) { return Status(Error{ErrorCode::kNotFound, "no such map"}); };
  CHECK(maps.pin("ktstr.data", "before").error().message == "no such map");
  CHECK(maps.shown("limit", "before").starts_with("there is no BPF map called before"));
}

TEST_CASE("a pinned map that is gone all the same is not another one") {
  Maps maps;
  REQUIRE(maps.pin("ktstr.data", "before"));
  maps.set(maps.memory().symbol("map_idr"), "idr", "idr_rt.xa_head", std::uint64_t{0});
  CHECK(maps.shown("limit", "before") == "there is no BPF map 1 any more");
}

namespace {

protocol::SchedulerChanged scheduler(std::optional<std::string> death) {
  protocol::SchedulerChanged answer;
  answer.current.emplace().death = std::move(death);
  return answer;
}

/// Runs one step with this op under a scheduler, which has died so when it is asked for.
Status run_op(Maps& maps, const Op& op, std::optional<std::string> death, Timeline& timeline) {
  Scenario scenario;
  scenario.scheduler.emplace().name = "one";
  scenario.steps = {{.ops = {op}, .setup = {}, .hold = FixedHold{std::chrono::seconds(1)}}};
  maps.agent.scheduler_answers = {scheduler({}), scheduler(std::move(death))};
  const StagedSchedulers staged;
  std::vector<SchedulerReport> reports;
  std::vector<SchedulerGap> gaps;
  Workload workload(maps.agent, scenario.topology, 1);
  SchedulerDriver schedulers(maps.agent, staged, {}, {}, {reports, gaps});
  StepRunner runner(scenario, maps.agent, workload, schedulers, timeline);
  runner.set_bpf_maps(&maps.ops);
  KTSTR_TRY(runner.set_up());
  return runner.run_steps([](const Progress&) {});
}

}  // namespace

TEST_CASE("an op on a map leaves an event that names map and variable") {
  Maps maps;
  Timeline timeline;
  REQUIRE(run_op(maps, ReadBpfMapOp{"ktstr.data", "limit", {}}, {}, timeline));
  REQUIRE(timeline.events.size() == 2);
  CHECK(timeline.events[1].op == "read_bpf_map");
  CHECK(timeline.events[1].step == 1);
  CHECK(timeline.events[1].map == "ktstr.data");
  CHECK(timeline.events[1].variable == "limit");
}

TEST_CASE("a map that went with its scheduler is that scheduler's story") {
  Maps maps;
  Timeline timeline;
  const ReadBpfMapOp missing{"gone.bss", "limit", {}};
  const auto alive = run_op(maps, missing, {}, timeline);
  CHECK(alive.error().message.starts_with(
      "step 1: read_bpf_map gone.bss limit: there is no BPF map called gone.bss"));
  const auto dead = run_op(maps, missing, "its program ended (exited 4)", timeline);
  CHECK(dead.error().message == "step 1: the scheduler one died: its program ended (exited 4)");
}
