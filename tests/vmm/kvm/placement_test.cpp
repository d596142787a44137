// Threads as vCPUs', placed on this host.
#include "vmm/kvm/placement.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "tests/skip.h"

namespace ktstr::vmm::kvm {
namespace {

/// A thread that waits until it is let go.
class WaitingThread {
 public:
  WaitingThread() : thread_([this] { id_.set_value(::gettid()), let_go_.get_future().wait(); }) {
    id = id_.get_future().get();
  }
  WaitingThread(const WaitingThread&) = delete;
  WaitingThread& operator=(const WaitingThread&) = delete;
  ~WaitingThread() {
    let_go_.set_value();
    thread_.join();
  }

  int id = 0;

 private:
  std::promise<int> id_;
  std::promise<void> let_go_;
  std::thread thread_;
};

Result<HostPlacement> plan(const PerformanceOptions& options) {
  return HostPlacement::plan(options, Topology{1, 1, 1, 1});
}

Status place(const HostPlacement& placement, const WaitingThread& thread) {
  const std::optional<int> threads[] = {thread.id};
  return placement.place(threads);
}

}  // namespace

TEST_CASE("a pinned thread may run on the planned CPU alone, others where they could") {
  const auto placement = plan({.pin_vcpus = true});
  REQUIRE_MESSAGE(placement.has_value(), placement.error().message);
  const WaitingThread pinned, other;
  cpu_set_t before, after, allowed;
  REQUIRE(::sched_getaffinity(other.id, sizeof(before), &before) == 0);
  REQUIRE(place(*placement, pinned).has_value());
  REQUIRE(::sched_getaffinity(pinned.id, sizeof(allowed), &allowed) == 0);
  REQUIRE(::sched_getaffinity(other.id, sizeof(after), &after) == 0);
  CHECK(CPU_COUNT(&allowed) == 1);
  CHECK(CPU_EQUAL(&before, &after));
  CHECK(::sched_getscheduler(pinned.id) == SCHED_OTHER);
}

TEST_CASE("a thread gets its priority of SCHED_FIFO, or the missing right is named") {
  const auto placement = plan({.realtime_priority = 7});
  if (!placement) SKIP_TEST(placement.error().message);  // a host of one CPU
  const WaitingThread thread;
  if (const auto placed = place(*placement, thread); !placed) {
    CHECK(placed.error().code == ErrorCode::kUnavailable);
    CHECK(placed.error().message.find("CAP_SYS_NICE") != std::string::npos);
    SKIP_TEST(placed.error().message);
  }
  sched_param parameters{};
  REQUIRE(::sched_getparam(thread.id, &parameters) == 0);
  CHECK(::sched_getscheduler(thread.id) == SCHED_FIFO);
  CHECK(parameters.sched_priority == 7);
}

TEST_CASE("a thread that never came up is an error, and nothing is asked of it when nothing was asked for") {
  const std::optional<int> nobody[] = {std::nullopt};
  const auto pinned = plan({.pin_vcpus = true});
  REQUIRE(pinned.has_value());
  CHECK(pinned->place(nobody).error().message == "the thread of vCPU 0 did not come up");
  CHECK(plan({})->place(nobody).has_value());
}

}  // namespace ktstr::vmm::kvm
