#include "vmm/watch_hits.h"

#include <doctest/doctest.h>

#include <array>
#include <map>

#include "tests/vmm/readable.h"

namespace ktstr::vmm {
namespace {

using test::readable;

constexpr Watchpoint kFirst{KernelVirt(0x1000), 8}, kSecond{KernelVirt(0x2000), 4};
constexpr std::uint64_t kDr6First = 1, kDr6Second = 2;

/// A guest's memory with two watched words.
struct Watched {
  Watched() { watch(); }
  void watch() {
    const std::array both{kFirst, kSecond};
    hits->watch(both, read);
  }

  std::unique_ptr<WatchHits> hits = [] {
    auto made = WatchHits::create();
    REQUIRE(made.has_value());
    return std::move(*made);
  }();
  std::map<std::uint64_t, std::uint64_t> memory{{0x1000, 10}, {0x2000, 20}};
  WatchHits::ReadValue read = [this](const Watchpoint& watchpoint) -> std::optional<std::uint64_t> {
    const auto found = memory.find(watchpoint.address.value());
    return found == memory.end() ? std::nullopt : std::optional(found->second);
  };
};

constexpr std::uint64_t kBase = 0xffffffff82000000;

Error refusal(std::span<const Watchpoint> watchpoints) {
  const auto checked = check_watchpoints(watchpoints);
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == ErrorCode::kInvalidArgument);
  return checked.error();
}

std::string refusal_of(std::size_t bytes, std::uint64_t address) {
  const Watchpoint watchpoint{KernelVirt(address), bytes};
  return refusal(std::span(&watchpoint, 1)).message;
}

}  // namespace

TEST_CASE("nothing caught is nothing to take") {
  Watched guest;
  CHECK(guest.hits->empty());
  CHECK_FALSE(readable(guest.hits->fd()));
  CHECK_FALSE(guest.hits->take(guest.read).has_value());
}

TEST_CASE("a hit tells vCPU, watchpoint, the value when it was set and the value now") {
  Watched guest;
  guest.memory[0x2000] = 21;
  guest.hits->add(3, kDr6Second);
  const auto hit = guest.hits->take(guest.read);
  REQUIRE(hit.has_value());
  CHECK(hit->vcpu == 3);
  CHECK(hit->watchpoint == kSecond);
  CHECK(hit->old_value == 20);
  CHECK(hit->new_value == 21);
}

TEST_CASE("the next hit's old value is the last one's new value") {
  Watched guest;
  guest.memory[0x1000] = 11;
  guest.hits->add(0, kDr6First);
  static_cast<void>(guest.hits->take(guest.read));
  guest.memory[0x1000] = 12;
  guest.hits->add(1, kDr6First);
  const auto hit = guest.hits->take(guest.read);
  REQUIRE(hit.has_value());
  CHECK(hit->old_value == 11);
  CHECK(hit->new_value == 12);
}

TEST_CASE("hits are taken in the order in which they came, also those of one instruction") {
  Watched guest;
  guest.hits->add(1, kDr6Second);
  guest.hits->add(0, kDr6First | kDr6Second);
  std::vector<std::pair<std::optional<std::size_t>, Watchpoint>> order;
  while (const auto hit = guest.hits->take(guest.read)) order.emplace_back(hit->vcpu, hit->watchpoint);
  CHECK(order == std::vector<std::pair<std::optional<std::size_t>, Watchpoint>>{
                     {1, kSecond}, {0, kFirst}, {0, kSecond}});
}

TEST_CASE("the descriptor is readable exactly while there are hits") {
  Watched guest;
  guest.hits->add(0, kDr6First);
  guest.hits->add(1, kDr6First);
  CHECK(readable(guest.hits->fd()));
  static_cast<void>(guest.hits->take(guest.read));
  CHECK(readable(guest.hits->fd()));
  CHECK_FALSE(guest.hits->empty());
  static_cast<void>(guest.hits->take(guest.read));
  CHECK_FALSE(readable(guest.hits->fd()));
  CHECK(guest.hits->empty());
}

TEST_CASE("bits of DR6 that are no watchpoint's catch nothing") {
  Watched guest;
  guest.hits->add(0, 0xffff0ff0 | 4 | 8);  // DR6's fixed bits, and two registers that are not in use
  CHECK(guest.hits->empty());
  CHECK_FALSE(readable(guest.hits->fd()));
}

TEST_CASE("setting watchpoints drops what was caught before and reads the values anew") {
  Watched guest;
  guest.hits->add(0, kDr6First);
  guest.memory[0x1000] = 50;
  guest.watch();
  CHECK(guest.hits->empty());
  CHECK_FALSE(readable(guest.hits->fd()));
  guest.hits->add(0, kDr6First);
  CHECK(guest.hits->take(guest.read)->old_value == 50);
}

TEST_CASE("where nothing is mapped a hit has no value") {
  Watched guest;
  guest.hits->add(0, kDr6First);
  guest.memory.clear();
  const auto unmapped = guest.hits->take(guest.read);
  REQUIRE(unmapped.has_value());
  CHECK(unmapped->old_value == 10);
  CHECK_FALSE(unmapped->new_value.has_value());
  guest.hits->add(0, kDr6First);
  CHECK_FALSE(guest.hits->take(guest.read)->old_value.has_value());
}

TEST_CASE("hits that nobody takes are kept up to a limit, the oldest of them") {
  Watched guest;
  for (std::size_t vcpu = 0; vcpu < 2000; ++vcpu) guest.hits->add(vcpu, kDr6First);
  std::size_t taken = 0;
  while (const auto hit = guest.hits->take(guest.read)) REQUIRE(hit->vcpu == taken++);
  CHECK(taken == 1024);
}

TEST_CASE("a hit that is told by its address is that watchpoint's, and one of no watchpoint is nothing") {
  Watched guest;
  guest.hits->add(2, kSecond.address);
  guest.hits->add(2, KernelVirt(0x3000));
  CHECK(guest.hits->take(guest.read)->watchpoint == kSecond);
  CHECK(guest.hits->empty());
}

TEST_CASE(
    "a change that nobody caught is a hit of an unknown vCPU, and one that was caught is not told twice") {
  Watched guest;
  guest.memory = {{0x1000, 11}, {0x2000, 21}};
  guest.hits->add(1, kFirst.address);
  guest.hits->add_missed(guest.read);
  CHECK(guest.hits->take(guest.read)->vcpu == 1);
  const auto missed = guest.hits->take(guest.read);
  REQUIRE(missed.has_value());
  CHECK_FALSE(missed->vcpu.has_value());
  CHECK(missed->watchpoint == kSecond);
  CHECK(missed->old_value == 20);
  CHECK(missed->new_value == 21);
  guest.hits->add_missed(guest.read);
  CHECK(guest.hits->empty());
}

TEST_CASE("every length is accepted at its own multiples") {
  for (const std::size_t bytes : {1U, 2U, 4U, 8U}) {
    const Watchpoint watchpoint{KernelVirt(kBase + bytes), bytes};
    CHECK(check_watchpoints(std::span(&watchpoint, 1)).has_value());
  }
  CHECK(check_watchpoints({}).has_value());
}

TEST_CASE("a length that no debug register has is refused") {
  CHECK(refusal_of(0, kBase) ==
        "a watchpoint of 0 bytes at 0xffffffff82000000: it may have 1, 2, 4 or 8, aligned to them");
  CHECK(refusal_of(3, 0x3000) ==
        "a watchpoint of 3 bytes at 0x3000: it may have 1, 2, 4 or 8, aligned to them");
  CHECK(refusal_of(16, 0x1000) ==
        "a watchpoint of 16 bytes at 0x1000: it may have 1, 2, 4 or 8, aligned to them");
}

TEST_CASE("an address that is no multiple of the length is refused") {
  CHECK(refusal_of(8, 0x1004) ==
        "a watchpoint of 8 bytes at 0x1004: it may have 1, 2, 4 or 8, aligned to them");
  CHECK(refusal_of(2, 0x1001) ==
        "a watchpoint of 2 bytes at 0x1001: it may have 1, 2, 4 or 8, aligned to them");
}

TEST_CASE("more watchpoints than the hardware has are refused") {
  const std::vector<Watchpoint> five(5, Watchpoint{KernelVirt(kBase), 8});
  CHECK(refusal(five).message == "5 watchpoints: the hardware has 4");
  CHECK(check_watchpoints(std::span(five).first(4)).has_value());
}

}  // namespace ktstr::vmm
