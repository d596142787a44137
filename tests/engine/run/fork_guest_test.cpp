// What becomes of a fork whose machine or agent does not do its part.
#include "engine/run/fork_guest.h"

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <functional>
#include <thread>

#include "engine/base/read.h"
#include "engine/base/write.h"
#include "engine/protocol/messages.h"
#include "tests/engine/freeze/fake_machine.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;

namespace {

/// A machine with nobody inside but what a test puts at the other end of its channel.
class FakeFork final : public testing::FakeMachine {
 public:
  FakeFork(int channel, int ending, std::optional<vmm::MachineEvent> event)
      : FakeMachine(1), channel_(channel), ending_(ending), event_(std::move(event)) {}

  int channel_fd() const override { return channel_; }
  Result<vmm::MachineEvent> wait_event(Duration timeout) override {
    pollfd ready{ending_, POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(timeout.ns / 1'000'000)) == 1 && event_) return *event_;
    return Error{ErrorCode::kTimeout, "no event"};
  }

 private:
  int channel_, ending_;
  std::optional<vmm::MachineEvent> event_;
};

/// Gives one such machine; its agent runs in a thread of its own.
class FakeSnapshot final : public vmm::MachineSnapshot {
 public:
  explicit FakeSnapshot(std::function<void(FakeSnapshot&)> agent, std::optional<vmm::MachineEvent> event = {})
      : event_(std::move(event)) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    runner_.reset(ends[0]);
    inside.reset(ends[1]);
    ending.reset(::eventfd(0, EFD_CLOEXEC));
    thread_ = std::jthread([this, agent = std::move(agent)] { agent(*this); });
  }
  Result<std::unique_ptr<vmm::Machine>> fork(const std::filesystem::path&) const override {
    return std::unique_ptr<vmm::Machine>(std::make_unique<FakeFork>(runner_.get(), ending.get(), event_));
  }
  protocol::RequestMessage request() const {
    return from_json<protocol::RequestMessage>(*protocol::receive_frame(inside.get(), 20s)).value();
  }
  void reply(std::uint64_t id, protocol::Reply what) const {
    CHECK(protocol::send_frame(inside.get(), to_json(protocol::ReplyMessage{id, std::move(what)}), 20s));
  }

  Fd inside;
  Fd ending;  ///< readable once the machine has ended

 private:
  Fd runner_;
  std::optional<vmm::MachineEvent> event_;
  std::jthread thread_;
};

Error failure_of(const FakeSnapshot& snapshot, Duration timeout = 20s) {
  const auto guest = fork_guest(snapshot, {}, -1, timeout);
  REQUIRE_FALSE(guest);
  return guest.error();
}

}  // namespace

TEST_CASE("a fork is told entropy of its own and the time, and is ready once it has taken them") {
  std::vector<protocol::Refresh> told;
  const auto agent = [&](FakeSnapshot& machine) {
    const auto message = machine.request();
    told.push_back(std::get<protocol::Refresh>(message.request));
    machine.reply(message.id, protocol::Done{});
  };
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  for (int i = 0; i < 2; ++i) CHECK(fork_guest(FakeSnapshot(agent), {}, -1, 20s));
  REQUIRE(told.size() == 2);
  CHECK(told[0].entropy.size() == protocol::kMaxEntropyBytes);
  CHECK(told[0].entropy != told[1].entropy);
  CHECK(told[0].realtime_ns >= static_cast<std::uint64_t>(std::chrono::nanoseconds(before).count()));
  CHECK(told[1].realtime_ns > told[0].realtime_ns);
}

TEST_CASE("a guest that refuses is an error with its words") {
  const FakeSnapshot snapshot([](FakeSnapshot& machine) {
    machine.reply(machine.request().id, protocol::Failed{ErrorCode::kIo, "add entropy: no such device"});
  });
  CHECK(failure_of(snapshot).message == "add entropy: no such device");
}

TEST_CASE("a guest that never answers is a timeout") {
  const FakeSnapshot snapshot([](FakeSnapshot&) {});
  CHECK(failure_of(snapshot, 1ms).code == ErrorCode::kTimeout);
}

TEST_CASE("a guest that ends instead of answering is an error that says how") {
  const auto end = [](FakeSnapshot& machine) {
    machine.request();
    ::eventfd_write(machine.ending.get(), 1);
  };
  const FakeSnapshot panics(end, vmm::GuestPanicked{"Kernel panic - not syncing: a test"});
  CHECK(failure_of(panics).message == "the guest's kernel panicked: Kernel panic - not syncing: a test");
  const FakeSnapshot fails(end, vmm::MachineFailed{{ErrorCode::kEmulatorFailed, "int3"}});
  CHECK(failure_of(fails).code == ErrorCode::kEmulatorFailed);
  const FakeSnapshot exits(end, vmm::GuestExited{});
  CHECK(failure_of(exits).code == ErrorCode::kGuestFailed);
}

TEST_CASE("the user's wish to stop ends the wait for an answer") {
  const FakeSnapshot snapshot([](FakeSnapshot&) {});
  const Fd stop(::eventfd(1, EFD_CLOEXEC));
  const auto guest = fork_guest(snapshot, {}, stop.get(), 20s);
  REQUIRE_FALSE(guest);
  CHECK(guest.error().code == ErrorCode::kCancelled);
  CHECK(is_stop_requested(stop.get()));
}
