#include "vmm/kvm/pause_gate.h"

#include <doctest/doctest.h>

#include <atomic>
#include <semaphore>
#include <thread>

namespace ktstr::vmm::kvm {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point soon() {
  return Clock::now() + std::chrono::seconds(30);
}

/// A vCPU's thread: one pass of the gate for each time that it is let out of the "guest".
class Runner {
 public:
  Runner(PauseGate& gate, std::size_t index)
      : thread_([this, &gate, index] {
          while (gate.pass(index, [this] { ++actions; })) {
            passed.release();
            leave_guest.acquire();
          }
          ended = true;
        }) {}

  std::atomic<int> actions = 0;
  std::atomic<bool> ended = false;
  std::counting_semaphore<> passed{0}, leave_guest{0};

 private:
  std::jthread thread_;
};

std::vector<bool> all(std::size_t count) {
  return std::vector<bool>(count, true);
}

}  // namespace

TEST_CASE("nobody passes before the gate is opened") {
  PauseGate gate(2);
  Runner first(gate, 0), second(gate, 1);
  CHECK(gate.wait_all(soon()) == all(2));
  CHECK(first.actions == 0);
  CHECK(second.actions == 0);
  gate.open();
  first.passed.acquire();
  second.passed.acquire();
  CHECK(first.actions == 1);
  CHECK(second.actions == 1);
  gate.end();
  first.leave_guest.release();
  second.leave_guest.release();
}

TEST_CASE("whoever comes to a closed gate waits, and those inside the guest are told apart") {
  PauseGate gate(2);
  Runner first(gate, 0), second(gate, 1);
  gate.open();
  first.passed.acquire();
  second.passed.acquire();
  gate.close();
  second.leave_guest.release();
  while (!gate.wait_all(Clock::now())[1]) std::this_thread::yield();
  CHECK(gate.wait_all(Clock::now()) == std::vector<bool>{false, true});
  first.leave_guest.release();
  CHECK(gate.wait_all(soon()) == all(2));
  CHECK(first.actions == 1);
  gate.end();
}

TEST_CASE("a deadline ends the wait for a vCPU that does not come") {
  PauseGate gate(1);
  const auto deadline = Clock::now() + std::chrono::milliseconds(1);
  CHECK(gate.wait_all(deadline) == std::vector<bool>{false});
  CHECK(Clock::now() >= deadline);
}

TEST_CASE("a gate that is open is passed at once") {
  PauseGate gate(1);
  gate.open();
  int actions = 0;
  CHECK(gate.pass(0, [&] { ++actions; }));
  CHECK(actions == 1);
}

TEST_CASE("a gate closed again keeps whoever had not passed yet") {
  PauseGate gate(1);
  Runner runner(gate, 0);
  CHECK(gate.wait_all(soon()) == all(1));
  for (int i = 0; i < 1000; ++i) {
    gate.open();
    gate.close();
    runner.leave_guest.release();  // should it have passed
    REQUIRE(gate.wait_all(soon()) == all(1));
  }
  gate.end();
}

TEST_CASE("at the end every thread leaves, whether the gate is closed or open") {
  PauseGate gate(2);
  {
    Runner waiting(gate, 0);
    gate.open();
    waiting.passed.acquire();
    gate.close();
    waiting.leave_guest.release();
    while (!gate.wait_all(Clock::now())[0]) std::this_thread::yield();
    gate.end();
    while (!waiting.ended) std::this_thread::yield();
  }
  gate.open();
  CHECK_FALSE(gate.pass(1, [] {}));
}

}  // namespace ktstr::vmm::kvm
