// Machines that go on from a snapshot.
#include <doctest/doctest.h>

#include <chrono>
#include <cstring>

#include "tests/vmm/kvm/live/resources.h"
#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

std::unique_ptr<MachineSnapshot> snapshot(TestGuest& guest) {
  auto taken = guest.machine().snapshot(30s);
  const auto failure = taken ? std::string() : taken.error().message;
  INFO(failure);
  REQUIRE(taken.has_value());
  return std::move(*taken);
}

TestGuest fork(const MachineSnapshot& snapshot, const std::filesystem::path& console_log = {}) {
  auto machine = snapshot.fork(console_log);
  const auto failure = machine ? std::string() : machine.error().message;
  INFO(failure);
  REQUIRE(machine.has_value());
  return TestGuest(std::move(*machine));
}

/// The page that init told of, in the memory of `guest`.
char* page_of(TestGuest& guest, GuestPhys page) {
  for (const auto& region : guest.machine().memory())
    if (page >= region.base && page - region.base < region.bytes.size())
      return reinterpret_cast<char*>(&region.bytes[page - region.base]);
  return nullptr;
}

std::int64_t monotonic_ns(TestGuest& guest) {
  return std::stoll(guest.ask('n'));
}

}  // namespace

TEST_CASE("two forks of one snapshot answer, as the same boot of the same kernel, and the original goes on") {
  TEST_CONFIG(config, "1n1l2c1t");
  auto original = boot(config);
  const auto boot_id = original.ask('b');
  const auto topology = original.ask('t');
  const auto text = original.ask('k');
  const auto saved = snapshot(original);
  auto first = fork(*saved), second = fork(*saved);
  for (auto* guest : {&first, &second, &original}) {
    CHECK(guest->ask('p') == "pong");
    CHECK(guest->ask('b') == boot_id);
    CHECK(guest->ask('t') == topology);
    CHECK(guest->ask('k') == text);
  }
}

TEST_CASE("what one fork writes is seen by no other, and not by later ones") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const GuestPhys page(std::stoull(original.ask('m'), nullptr, 16));
  const auto saved = snapshot(original);
  auto first = fork(*saved), second = fork(*saved);
  std::strcpy(page_of(first, page), "written by the first");
  std::strcpy(page_of(original, page), "written by the original");
  auto third = fork(*saved);
  CHECK(first.ask('c') == "written by the first");
  CHECK(second.ask('c') == "a page of the guest");
  CHECK(third.ask('c') == "a page of the guest");
  CHECK(original.ask('c') == "written by the original");
}

TEST_CASE("a fork of a fork has what its parent wrote, when all that came before it is gone") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto grandchild = [&] {
    auto original = boot(config);
    const GuestPhys page(std::stoull(original.ask('m'), nullptr, 16));
    auto child = fork(*snapshot(original));
    std::strcpy(page_of(child, page), "written by the child");
    const auto saved = snapshot(child);
    return fork(*saved);
  }();
  CHECK(grandchild.ask('c') == "written by the child");
  CHECK(grandchild.ask('p') == "pong");
}

TEST_CASE("busy vCPUs of two nodes go on from a snapshot, and freeze there") {
  TEST_CONFIG(config, "2n2l1c1t");
  auto original = boot(config);
  REQUIRE(original.ask('s') == "spinning");
  const auto saved = snapshot(original);
  auto guest = fork(*saved);
  CHECK(guest.ask('p') == "pong");
  const auto frozen = guest.machine().freeze(30s);
  REQUIRE(frozen.has_value());
  for (const auto& vcpu : frozen->vcpus) CHECK(vcpu.has_value());
  REQUIRE(guest.machine().thaw().has_value());
  CHECK(guest.ask('p') == "pong");
  CHECK(original.ask('p') == "pong");
}

TEST_CASE("a frozen machine stays frozen while its snapshot is taken, and forks of it run") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const auto frozen = original.machine().freeze(30s);
  REQUIRE(frozen.has_value());
  const auto saved = snapshot(original);
  auto guest = fork(*saved);
  CHECK(guest.ask('p') == "pong");
  CHECK(original.machine().freeze(30s)->vcpus[0]->rip == frozen->vcpus[0]->rip);
  REQUIRE(original.machine().thaw().has_value());
  REQUIRE(original.machine().thaw().has_value());
  CHECK(original.ask('p') == "pong");
}

TEST_CASE("a fork ends by itself, with its own console and log") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const auto saved = snapshot(original);
  const auto log = std::filesystem::temp_directory_path() / ("ktstr-fork-" + std::to_string(::getpid()));
  auto guest = fork(*saved, log);
  guest.tell('x');
  const auto event = wait_for_event(guest.machine());
  REQUIRE(std::holds_alternative<GuestPanicked>(event));
  CHECK(guest.machine().console_tail(100).find("Linux version") == std::string::npos);
  CHECK(std::filesystem::file_size(log) > 0);
  std::filesystem::remove(log);
  CHECK(original.ask('p') == "pong");
}

TEST_CASE("20 forks, run and ended, leave no descriptor, thread or mapping, and time stands still for them") {
  TEST_CONFIG(config, "1n1l2c1t");
  auto original = boot(config);
  const auto saved_ns = monotonic_ns(original);
  const auto saved = snapshot(original);
  const auto saved_at = Clock::now();
  const auto cycle = [&] { CHECK(fork(*saved).ask('p') == "pong"); };
  cycle();  // what the C library keeps from the first time on
  const Resources before;
  for (int i = 0; i < 20; ++i) cycle();
  const Resources after;
  CHECK(after.descriptors == before.descriptors);
  CHECK(after.threads == before.threads);
  CHECK(after.mappings <= before.mappings + 2);  // malloc's arenas come and go with threads

  auto last = fork(*saved);
  const auto passed_ns = monotonic_ns(last) - saved_ns;
  const auto host_ns = std::chrono::nanoseconds(Clock::now() - saved_at).count();
  CHECK(passed_ns > 0);
  CHECK(passed_ns < host_ns / 2);
  CHECK(monotonic_ns(original) - saved_ns > host_ns);
}

}  // namespace ktstr::vmm
