#include "introspect/scx/watchdog.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

#include "introspect/translator.h"
#include "tests/introspect/scx/scx_guest.h"

namespace ktstr::introspect::test {
namespace {

/// Writes where the synthetic guest keeps its memory.
class Writable final : public WritableMemory {
 public:
  Writable(ScxGuest& guest, const Kernel& kernel) : guest_(guest), kernel_(kernel) {}
  /// Names a place, so that a write to it is found by its physical address.
  void add(KernelVirt place) { places_.push_back(place); }
  bool write(GuestPhys address, std::span<const std::byte> bytes) override {
    for (const auto place : places_)
      if (kernel_.translator().translate(place)->address == address)
        return std::ranges::copy(bytes, guest_.at(place)), true;
    return false;
  }

 private:
  ScxGuest& guest_;
  const Kernel& kernel_;
  std::vector<KernelVirt> places_;
};

std::uint64_t value_at(ScxGuest& guest, KernelVirt place) {
  std::uint64_t value = 0;
  std::memcpy(&value, guest.at(place), sizeof value);
  return value;
}

}  // namespace

TEST_CASE("a member of the scheduler is written where the kernel has it, a variable before that") {
  ScxGuest recent;
  const auto sched = recent.load_scheduler();
  const auto member = recent.member(sched, "scx_sched", "watchdog_timeout");
  recent.write(member, std::uint64_t{1250});
  const Kernel kernel = recent.attach();
  Writable memory(recent, kernel);
  memory.add(member);
  const auto change = ScxWatchdog::create(kernel).value().set(kernel, memory, 2500);
  REQUIRE(change);
  CHECK(change->before == 1250);
  CHECK(change->after == 2500);
  CHECK(value_at(recent, member) == 2500);

  ScxGuest old(ScxShape::kOld);
  old.load_scheduler();
  const Kernel old_kernel = old.attach();
  Writable old_memory(old, old_kernel);
  old_memory.add(old.symbol("scx_watchdog_timeout"));
  REQUIRE(ScxWatchdog::create(old_kernel).value().set(old_kernel, old_memory, 2500));
  CHECK(value_at(old, old.symbol("scx_watchdog_timeout")) == 2500);
}

TEST_CASE("a shorter timeout moves the last look to when the next one is due, and looks come more often") {
  ScxGuest guest;
  const auto interval = guest.add_symbol("scx_watchdog_interval", 8);
  const auto timestamp = guest.add_symbol("scx_watchdog_timestamp", 8);
  guest.write(guest.symbol("jiffies_64"), std::uint64_t{10'000});
  const auto sched = guest.load_scheduler();
  const auto member = guest.member(sched, "scx_sched", "watchdog_timeout");
  guest.write(member, std::uint64_t{7500});
  const Kernel kernel = guest.attach();
  Writable memory(guest, kernel);
  for (const auto place : {member, interval, timestamp}) memory.add(place);
  REQUIRE(ScxWatchdog::create(kernel).value().set(kernel, memory, 500));
  CHECK(value_at(guest, timestamp) == 10'000 + 3750);
  CHECK(value_at(guest, interval) == 250);
  REQUIRE(ScxWatchdog::create(kernel).value().set(kernel, memory, 1000));
  CHECK(value_at(guest, timestamp) == 10'000 + 3750);  // longer than before: left alone
  CHECK(value_at(guest, interval) == 500);
}

TEST_CASE("without a scheduler, or memory to write, there is an error and no change") {
  ScxGuest guest;
  const Kernel kernel = guest.attach();
  Writable memory(guest, kernel);
  const auto watchdog = ScxWatchdog::create(kernel);
  CHECK(watchdog->set(kernel, memory, 500).error().code == ErrorCode::kUnavailable);
  guest.load_scheduler();
  CHECK(watchdog->set(kernel, memory, 500).error().code == ErrorCode::kOutOfRange);
}

}  // namespace ktstr::introspect::test
