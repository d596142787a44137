#include "vmm/kvm/ending.h"

#include <doctest/doctest.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/vmm/readable.h"

namespace ktstr::vmm::kvm {
namespace {

using test::readable;

std::unique_ptr<Ending> make_ending() {
  auto ending = Ending::create();
  REQUIRE(ending.has_value());
  return std::move(*ending);
}

Error failure_of(const MachineEvent& event) {
  REQUIRE(std::holds_alternative<MachineFailed>(event));
  return std::get<MachineFailed>(event).error;
}

}  // namespace

TEST_CASE("the descriptor is readable from the end on") {
  const auto ending = make_ending();
  CHECK_FALSE(readable(ending->fd()));
  ending->guest_exited();
  CHECK(readable(ending->fd()));
  ending->killed();
  CHECK(readable(ending->fd()));
}

TEST_CASE("a guest that exited stays so, whatever fails or is killed afterwards") {
  const auto ending = make_ending();
  ending->guest_exited();
  ending->failed({ErrorCode::kIo, "late"});
  ending->killed();
  CHECK(std::holds_alternative<GuestExited>(ending->event({})));
}

TEST_CASE("the first failure is believed") {
  const auto ending = make_ending();
  ending->failed({ErrorCode::kEmulatorFailed, "first"});
  ending->failed({ErrorCode::kIo, "second"});
  ending->guest_exited();
  CHECK(failure_of(ending->event({})).message == "first");
}

TEST_CASE("a machine that its owner ended was cancelled") {
  const auto ending = make_ending();
  ending->killed();
  const auto error = failure_of(ending->event({}));
  CHECK(error.code == ErrorCode::kCancelled);
  CHECK(error.message == "the machine was ended by its owner");
}

TEST_CASE("a panic goes before whatever ended the machine, with its line") {
  for (const bool failed : {false, true}) {
    const auto ending = make_ending();
    if (failed) ending->failed({ErrorCode::kIo, "what follows from it"});
    ending->guest_exited();
    const auto event = ending->event("Kernel panic - not syncing: x");
    REQUIRE(std::holds_alternative<GuestPanicked>(event));
    CHECK(std::get<GuestPanicked>(event).console_line == "Kernel panic - not syncing: x");
    CHECK(std::get<GuestPanicked>(event).other_cause.has_value() == failed);
  }
}

TEST_CASE("of many threads that tell of an end at once exactly one is believed, for good") {
  const auto ending = make_ending();
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] { ending->failed({ErrorCode::kIo, std::to_string(i)}); });
  }
  const auto first = failure_of(ending->event({})).message;
  CHECK(first.size() == 1);
  CHECK(failure_of(ending->event({})).message == first);
}

}  // namespace ktstr::vmm::kvm
