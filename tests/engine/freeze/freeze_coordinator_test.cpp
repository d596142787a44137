#include "engine/freeze/freeze_coordinator.h"

#include <doctest/doctest.h>

#include <new>

#include "tests/engine/freeze/fake_machine.h"

using namespace ktstr;
using namespace ktstr::engine;
using introspect::DegradedFailureDumpReport;
using introspect::FailureDumpReport;
using ktstr::engine::testing::FakeMachine;

namespace {

CaptureRequest request() {
  return {introspect::DumpCause::kRequested, "before", "a detail", std::chrono::milliseconds(1500)};
}

FreezeCoordinator::Render nothing() {
  return [] { return FailureDumpReport{}; };
}

FreezeCoordinator::ReadExitKind kind(std::uint32_t value) {
  return [value] { return std::optional(value); };
}

/// A dump of a machine whose guest panicked, with what it gets of the registers.
FailureDumpReport dump_of_ended(FakeMachine& machine) {
  FreezeCoordinator coordinator(machine,
                                [](const auto& registers, auto) -> FreezeCoordinator::Render {
                                  return [registers] {
                                    FailureDumpReport report;
                                    report.vcpu_regs = registers;
                                    return report;
                                  };
                                },
                                {});
  auto panic = request();
  panic.cause = introspect::DumpCause::kGuestPanic;
  const auto capture = coordinator.capture(panic);
  REQUIRE(capture);
  return std::get<FailureDumpReport>(capture->dump);
}

}  // namespace

TEST_CASE("the guest stands still while it is captured, and runs while the dump is made of that") {
  FakeMachine machine(2);
  int depth_while_capturing = 0, depth_while_rendering = -1;
  std::vector<std::optional<introspect::VcpuRegSnapshot>> seen;
  const auto render = [&] {
    depth_while_rendering = machine.depth;
    FailureDumpReport report;
    report.origin.kernel = "a kernel";
    return report;
  };
  FreezeCoordinator coordinator(machine,
                                [&](const auto& registers, auto) -> FreezeCoordinator::Render {
                                  depth_while_capturing = machine.depth;
                                  seen = registers;
                                  return render;
                                },
                                {});
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  CHECK(depth_while_capturing == 1);
  CHECK(depth_while_rendering == 0);
  REQUIRE(seen.size() == 2);
  CHECK(seen[1]->instruction_pointer == 0x1001);
  const auto& origin = std::get<FailureDumpReport>(capture->dump).origin;
  CHECK(origin.name == "before");
  CHECK(origin.detail == "a detail");
  CHECK(origin.kernel == "a kernel");
  CHECK(origin.elapsed_ns == 1'500'000'000);
  CHECK(origin.frozen_ns == static_cast<std::uint64_t>(capture->frozen.ns));
  CHECK(origin.stop_ns <= origin.frozen_ns);
}

TEST_CASE("of a machine that has ended, memory is captured without stopping anything") {
  FakeMachine machine(2);
  machine.freeze_error = Error{ErrorCode::kCancelled, "it has ended"};
  const auto dump = dump_of_ended(machine);
  CHECK(machine.freezes == 0);
  CHECK(dump.origin.cause == introspect::DumpCause::kGuestPanic);
  CHECK(dump.origin.detail == "a detail");
  CHECK(dump.origin.frozen_ns == 0);
  CHECK(dump.vcpu_regs.empty());
  CHECK(dump.problems ==
        std::vector<std::string>{
            "registers are absent: the machine had ended, and its backend does not keep them"});
}

TEST_CASE("a machine that has ended may have kept the registers of its end") {
  FakeMachine machine(2);
  machine.freeze_error = Error{ErrorCode::kCancelled, "it has ended"};
  machine.left_registers.resize(2);
  machine.left_registers[0].emplace().rip = 0x5000;
  const auto dump = dump_of_ended(machine);
  REQUIRE(dump.vcpu_regs.size() == 2);
  CHECK(dump.vcpu_regs[0].value().instruction_pointer == 0x5000);
  CHECK_FALSE(dump.vcpu_regs[1]);
  CHECK(dump.problems == std::vector<std::string>{"registers of vCPU 1 can't be read"});
}

TEST_CASE("a vCPU that does not stop makes the dump a degraded one, and the guest runs on") {
  FakeMachine machine(3);
  machine.state.vcpus[1].reset();
  machine.state.not_stopped = {1};
  FreezeCoordinator coordinator(
      machine, [](const auto&, auto) -> FreezeCoordinator::Render { throw "nothing may be captured"; },
      kind(1026), {.stop_deadline = std::chrono::milliseconds(20)});
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  CHECK(machine.depth == 0);
  const auto& degraded = std::get<DegradedFailureDumpReport>(capture->dump);
  CHECK(degraded.reason ==
        "vCPU rendezvous timed out before parked acknowledgement (within 20ms; 2 of 3 vCPUs stopped; not "
        "vCPU 1)");
  CHECK(degraded.exit_kind == 1026);
  REQUIRE(degraded.vcpu_regs.size() == 3);
  CHECK(degraded.vcpu_regs[0]);
  CHECK_FALSE(degraded.vcpu_regs[1]);
}

TEST_CASE("a machine that does not stop in time makes the dump a degraded one") {
  FakeMachine machine(2);
  machine.freeze_error = Error{ErrorCode::kTimeout, "stop"};
  FreezeCoordinator coordinator(machine, [](const auto&, auto) { return nothing(); }, {});
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  CHECK(machine.depth == 0);
  CHECK(std::holds_alternative<DegradedFailureDumpReport>(capture->dump));
}

TEST_CASE("a machine that has ended is an error") {
  FakeMachine machine(2);
  machine.freeze_error = Error{ErrorCode::kIo, "the machine is gone"};
  FreezeCoordinator coordinator(machine, [](const auto&, auto) { return nothing(); }, {});
  const auto capture = coordinator.capture(request());
  REQUIRE_FALSE(capture);
  CHECK(capture.error().code == ErrorCode::kIo);
}

TEST_CASE("registers that can't be read are told, and memory is captured all the same") {
  FakeMachine machine(3);
  machine.state.vcpus[1].reset();
  std::vector<std::optional<introspect::VcpuRegSnapshot>> seen;
  FreezeCoordinator coordinator(
      machine,
      [&](const auto& registers, auto) {
        seen = registers;
        return nothing();
      },
      kind(1026));
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  REQUIRE(std::holds_alternative<FailureDumpReport>(capture->dump));
  CHECK(std::get<FailureDumpReport>(capture->dump).problems ==
        std::vector<std::string>{"registers of vCPU 1 can't be read"});
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].has_value());
  CHECK_FALSE(seen[1].has_value());
}

TEST_CASE("without memory to capture or to render, the guest runs on and the dump says so") {
  FakeMachine machine(1);
  const auto throws = []() -> FailureDumpReport { throw std::bad_alloc(); };
  FreezeCoordinator capturing(
      machine, [](const auto&, auto) -> FreezeCoordinator::Render { throw std::bad_alloc(); }, {});
  FreezeCoordinator rendering(machine, [&](const auto&, auto) { return throws; }, {});
  const auto unread = capturing.capture(request());
  const auto unshown = rendering.capture(request());
  REQUIRE(unread);
  REQUIRE(unshown);
  const auto& first = std::get<FailureDumpReport>(unread->dump);
  CHECK(first.is_placeholder);
  CHECK(first.problems == std::vector<std::string>{"out of memory while the guest was read"});
  CHECK(std::get<FailureDumpReport>(unshown->dump).problems ==
        std::vector<std::string>{"out of memory while the values that were read were shown"});
  CHECK(machine.freezes == 2);
  CHECK(machine.depth == 0);
}

TEST_CASE("the guest runs on when capturing throws anything else") {
  FakeMachine machine(1);
  FreezeCoordinator coordinator(
      machine, [](const auto&, auto) -> FreezeCoordinator::Render { throw "a mistake"; }, {});
  CHECK_THROWS(static_cast<void>(coordinator.capture(request())));
  CHECK(machine.depth == 0);
}

TEST_CASE("a guest that can't be set going again is told, and the dump is kept") {
  FakeMachine machine(1);
  machine.thaw_error = Error{ErrorCode::kIo, "cont"};
  FreezeCoordinator coordinator(machine, [](const auto&, auto) { return nothing(); }, {});
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  REQUIRE(capture->thaw_problem);
  CHECK(capture->thaw_problem->message == "cont");
  CHECK(std::holds_alternative<FailureDumpReport>(capture->dump));
}

TEST_CASE(
    "a guest that can't be set going again after a degraded dump is told as well, and the dump is kept") {
  FakeMachine machine(2);
  machine.state.vcpus[1].reset();
  machine.state.not_stopped = {1};
  machine.thaw_error = Error{ErrorCode::kIo, "cont"};
  FreezeCoordinator coordinator(machine, [](const auto&, auto) { return nothing(); }, {},
                                {.stop_deadline = std::chrono::milliseconds(20)});
  const auto capture = coordinator.capture(request());
  REQUIRE(capture);
  REQUIRE(capture->thaw_problem);
  CHECK(capture->thaw_problem->message == "cont");
  const auto* degraded = std::get_if<DegradedFailureDumpReport>(&capture->dump);
  REQUIRE(degraded);
  CHECK(degraded->reason.find("1 of 2 vCPUs stopped; not vCPU 1") != std::string::npos);
}
