#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <future>
#include <sstream>

#include "tests/temporary_directory.h"
#include "tests/vmm/test_guest.h"

namespace ktstr::vmm::qemu {
namespace {

using namespace std::chrono_literals;

template <class T>
T value_of(Result<T> result) {
  const auto failure = result ? std::string() : result.error().message;
  INFO(failure);
  REQUIRE(result.has_value());
  return std::move(*result);
}

std::unique_ptr<MachineSnapshot> snapshot_of(TestGuest& guest) {
  return value_of(guest.machine().snapshot(30s));
}
TestGuest fork(const MachineSnapshot& snapshot, const std::filesystem::path& console_log = {}) {
  return value_of(TestGuest::fork(snapshot, console_log));
}

std::string text_at(Machine& machine, GuestPhys address) {
  for (const auto& region : machine.memory())
    if (address >= region.base && address - region.base < region.bytes.size())
      return reinterpret_cast<const char*>(&region.bytes[address - region.base]);
  return "not in memory";
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                                                std::filesystem::directory_iterator()));
}

std::size_t guest_memory_mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("memfd:ktstr") != line.npos;
  return count;
}

/// The guest, its forks and what each of them counts.
void check_forks_are_independent(const MachineConfig& config) {
  auto original = boot(config);
  const auto boot_id = original.ask('b');
  const auto topology = original.ask('t');
  const auto uptime_ns = std::stoll(original.ask('u'));
  REQUIRE(original.ask('c') == "1");
  const auto snapshot = snapshot_of(original);
  CHECK(original.ask('c') == "2");
  CHECK(original.ask('c') == "3");

  auto first = fork(*snapshot), second = fork(*snapshot);
  CHECK(first.ask('c') == "2");
  CHECK(first.ask('c') == "3");
  CHECK(first.ask('c') == "4");
  CHECK(second.ask('c') == "2");
  CHECK(original.ask('c') == "4");
  for (auto* guest : {&first, &second}) {
    CHECK(guest->ask('b') == boot_id);
    CHECK(guest->ask('t') == topology);
    CHECK(std::stoll(guest->ask('u')) > uptime_ns);
  }
}

}  // namespace

TEST_CASE(
    "two forks of one node go on from the snapshot, each in memory of its own, and so does the original") {
  TEST_CONFIG(config, "1n2l2c1t");
  check_forks_are_independent(config);
}

TEST_CASE("two forks of two NUMA nodes go on from the snapshot, and so does the original") {
  TEST_CONFIG(config, "2n2l2c1t");
  check_forks_are_independent(config);
}

TEST_CASE("a fork's memory is what its guest writes, and lies where the original's does") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const auto snapshot = snapshot_of(original);
  auto first = fork(*snapshot), second = fork(*snapshot);
  const GuestPhys page(std::stoull(first.ask('m'), nullptr, 16));
  CHECK(text_at(first.machine(), page) == "a page of the guest");
  CHECK(text_at(second.machine(), page) != "a page of the guest");
  CHECK(text_at(original.machine(), page) != "a page of the guest");
  CHECK(std::ranges::equal(first.machine().memory(), original.machine().memory(), {}, &MemoryRegion::base,
                           &MemoryRegion::base));
}

TEST_CASE("a fork freezes, tells its registers and thaws; vCPUs that ran when it was taken run") {
  TEST_CONFIG(config, "1n2l1c1t");
  auto original = boot(config);
  REQUIRE(original.ask('s') == "spinning");
  const auto snapshot = snapshot_of(original);
  auto guest = fork(*snapshot);
  const auto frozen = value_of(guest.machine().freeze(30s));
  REQUIRE(frozen.vcpus.size() == 2);
  for (const auto& vcpu : frozen.vcpus) {
    REQUIRE(vcpu.has_value());
    CHECK((vcpu->cr0 & 0x80000001) == 0x80000001);  // paging, protected mode
    CHECK(vcpu->idt_base > 0xffff800000000000);
  }
  REQUIRE(guest.machine().thaw().has_value());
  CHECK(guest.ask('p') == "pong");
  CHECK(guest.machine().vcpu_thread_ids() == original.machine().vcpu_thread_ids());
}

TEST_CASE("a frozen machine has its snapshots taken and stays frozen") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  REQUIRE(original.ask('c') == "1");
  const auto frozen = value_of(original.machine().freeze(30s));
  const auto first = snapshot_of(original), second = snapshot_of(original);
  CHECK(value_of(original.machine().freeze(30s)).vcpus[0]->rip == frozen.vcpus[0]->rip);
  REQUIRE(original.machine().thaw().has_value());
  REQUIRE(original.machine().thaw().has_value());
  CHECK_FALSE(original.machine().thaw().has_value());
  CHECK(original.ask('c') == "2");
  CHECK(fork(*first).ask('c') == "2");
  CHECK(fork(*second).ask('c') == "2");
}

TEST_CASE("a fork can be forked, and outlives the machines that it came from") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto child = [&] {
    auto original = boot(config);
    return fork(*snapshot_of(original));
  }();
  REQUIRE(child.ask('c') == "1");
  auto grandchild = fork(*snapshot_of(child));
  CHECK(grandchild.ask('c') == "2");
  CHECK(child.ask('c') == "2");
}

TEST_CASE("machines are forked at the same time") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const auto snapshot = snapshot_of(original);
  auto other = std::async(std::launch::async, [&] { return TestGuest::fork(*snapshot); });
  auto first = fork(*snapshot);
  auto second = value_of(other.get());
  CHECK(first.ask('c') == "1");
  CHECK(second.ask('c') == "1");
}

TEST_CASE("a fork's console goes to a log of its own, and its end is nobody else's") {
  TEST_CONFIG(config, "1n1l1c1t");
  const ktstr::test::TemporaryDirectory directory;
  config.console_log = directory.path() / "original";
  auto original = boot(config);
  const auto snapshot = snapshot_of(original);
  auto guest = fork(*snapshot, directory.path() / "fork");
  guest.tell('x');
  const auto event = value_of(guest.machine().wait_event(60s));
  REQUIRE(std::holds_alternative<GuestPanicked>(event));
  std::stringstream log, original_log;
  log << std::ifstream(directory.path() / "fork").rdbuf();
  original_log << std::ifstream(config.console_log).rdbuf();
  CHECK(log.str().find("Attempted to kill init!") != std::string::npos);
  CHECK(original_log.str().find("Attempted to kill init!") == std::string::npos);
  CHECK(original.ask('p') == "pong");
}

TEST_CASE("forks that have ended leave no descriptor, process or mapping") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  const auto snapshot = snapshot_of(original);
  const auto descriptors = open_descriptors(), mappings = guest_memory_mappings();
  for (int i = 0; i < 5; ++i) {
    auto guest = fork(*snapshot);
    CHECK(guest.ask('c') == "1");
    CHECK(child_pids().size() == 2);
  }
  CHECK(open_descriptors() == descriptors);
  CHECK(guest_memory_mappings() == mappings);
  CHECK(child_pids().size() == 1);
}

TEST_CASE("a snapshot that takes too long is an error, and the machine goes on") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto original = boot(config);
  CHECK(original.machine().snapshot(Duration{0}).error().code == ErrorCode::kTimeout);
  CHECK(original.ask('p') == "pong");
  CHECK(fork(*snapshot_of(original)).ask('p') == "pong");
}

}  // namespace ktstr::vmm::qemu
