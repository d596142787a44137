#include "vmm/backend_machine.h"

#include <doctest/doctest.h>
#include <sys/eventfd.h>

#include <deque>

using namespace ktstr;
using namespace ktstr::vmm;

namespace {

class NoSnapshot final : public MachineSnapshot {
  Result<std::unique_ptr<Machine>> fork(const std::filesystem::path&) const override {
    return Error{ErrorCode::kUnavailable, "none"};
  }
};

/// A backend that counts what it is asked for.
class FakeMachine final : public BackendMachine {
 public:
  std::string backend_name() const override { return "fake"; }
  bool is_emulated() const override { return false; }
  MachinePerformance performance() const override { return {}; }
  Result<MachineStatistics> statistics() override { return Error{ErrorCode::kUnavailable, "none"}; }
  void kill() override {}

  int stops = 0, runs = 0, conclusions = 0;
  std::size_t watched = 0;
  Status can_stop = ok(), can_go_on = ok(), can_save = ok();
  std::deque<std::optional<WatchHit>> hits;  ///< what take_hit() gives, in order
  Fd hit{::eventfd(0, EFD_CLOEXEC)}, end{::eventfd(0, EFD_CLOEXEC)};

 private:
  Result<FrozenState> stop(Deadline) override {
    KTSTR_TRY(Status(can_stop));
    ++stops;
    return FrozenState{{std::nullopt}};
  }
  Status go_on() override {
    ++runs;
    return can_go_on;
  }
  Status watch(std::span<const Watchpoint> watchpoints, const FrozenState& frozen) override {
    watched = watchpoints.size();
    return frozen.vcpus.empty() ? Status(Error{ErrorCode::kInvalidArgument, "no vCPUs"}) : ok();
  }
  Result<bool> has_hit() override { return !hits.empty(); }
  std::optional<WatchHit> take_hit() override {
    auto first = std::move(hits.front());
    hits.pop_front();
    return first;
  }
  int hit_fd() const override { return hit.get(); }
  Result<std::unique_ptr<MachineSnapshot>> save(const FrozenState&, Deadline) override {
    KTSTR_TRY(Status(can_save));
    return std::make_unique<NoSnapshot>();
  }
  int end_fd() const override { return end.get(); }
  MachineEvent conclude() override {
    ++conclusions;
    return GuestExited{};
  }
};

constexpr Duration kNow{0}, kLong = std::chrono::seconds(10);
const Error kRefused{ErrorCode::kIo, "refused"};

}  // namespace

TEST_CASE("freezes nest: the first stops the machine and the last thaw lets it go on") {
  FakeMachine machine;
  CHECK(machine.freeze(kLong)->vcpus.size() == 1);
  CHECK(machine.freeze(kLong)->vcpus.size() == 1);
  CHECK(machine.thaw());
  CHECK(machine.stops == 1);
  CHECK(machine.runs == 0);
  CHECK(machine.thaw());
  CHECK(machine.runs == 1);
  CHECK(machine.thaw().error().message == "thaw: the machine is not frozen");
}

TEST_CASE("a machine that does not stop is not frozen") {
  FakeMachine machine;
  machine.can_stop = kRefused;
  CHECK(machine.freeze(kLong).error().message == "freeze: refused");
  CHECK(machine.thaw().error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a machine that does not go on is told of, and frozen no more") {
  FakeMachine machine;
  machine.can_go_on = kRefused;
  REQUIRE(machine.freeze(kLong));
  CHECK(machine.thaw().error().message == "thaw: refused");
  CHECK(machine.thaw().error().message == "thaw: the machine is not frozen");
}

TEST_CASE("watchpoints are set while the machine stands still, and bad ones do not stop it") {
  FakeMachine machine;
  CHECK(machine.set_watchpoints(std::vector<Watchpoint>{{KernelVirt(0xffff888000000003), 8}}).error().code ==
        ErrorCode::kInvalidArgument);
  CHECK(machine.stops == 0);
  CHECK(machine.set_watchpoints(std::vector<Watchpoint>{{KernelVirt(0xffff888000000008), 8}}));
  CHECK(machine.watched == 1);
  CHECK(machine.stops == 1);
  CHECK(machine.runs == 1);
}

TEST_CASE("a hit leaves the machine frozen, one that another thread took does not") {
  FakeMachine machine;
  machine.hits = {std::nullopt, WatchHit{.vcpu = 3, .watchpoint = {}, .old_value = {}, .new_value = {}}};
  ::eventfd_write(machine.hit.get(), 1);
  CHECK(machine.wait_watch_hit(kLong)->vcpu == 3);
  CHECK(machine.stops == 2);
  CHECK(machine.runs == 1);
  CHECK(machine.thaw());
}

TEST_CASE("no hit in time is a timeout, and none comes of a machine that has ended") {
  FakeMachine machine;
  CHECK(machine.wait_watch_hit(kNow).error().message == "no watchpoint was hit within 0s");
  ::eventfd_write(machine.end.get(), 1);
  CHECK(machine.wait_watch_hit(kLong).error().code == ErrorCode::kCancelled);
}

TEST_CASE("a machine goes on after a snapshot, taken or not") {
  FakeMachine machine;
  CHECK(machine.snapshot(kLong));
  CHECK(machine.runs == 1);
  machine.can_save = kRefused;
  CHECK(machine.snapshot(kLong).error().message == "snapshot: refused");
  CHECK(machine.runs == 2);
}

TEST_CASE("the end is settled once and told again") {
  FakeMachine machine;
  CHECK(machine.wait_event(kNow).error().message == "no event within 0s");
  ::eventfd_write(machine.end.get(), 1);
  CHECK(std::holds_alternative<GuestExited>(*machine.wait_event(kLong)));
  CHECK(std::holds_alternative<GuestExited>(*machine.wait_event(kNow)));
  CHECK(machine.conclusions == 1);
}
