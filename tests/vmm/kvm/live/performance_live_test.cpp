// What a machine got of its host, as the host and the guest see it.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {
namespace {

/// Declares a booted guest, or ends the test case as skipped where the host has not what `config` asks for.
#define BOOT_OR_SKIP(name, config)                                                   \
  auto name##_or_reason = TestGuest::boot(config);                                   \
  if (!name##_or_reason && name##_or_reason.error().code == ErrorCode::kUnavailable) \
    SKIP_TEST(name##_or_reason.error().message);                                     \
  REQUIRE_MESSAGE(name##_or_reason.has_value(), name##_or_reason.error().message);   \
  auto& name = *name##_or_reason

std::string status_line(int thread, std::string_view key) {
  std::ifstream status(fmt::format("/proc/self/task/{}/status", thread));
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return line.substr(key.size());
  return "no such line";
}

MachineStatistics statistics_of(TestGuest& guest) {
  const auto statistics = guest.machine().statistics();
  REQUIRE_MESSAGE(statistics.has_value(), statistics.error().message);
  return *statistics;
}

bool is_resident(std::span<std::byte> bytes) {
  std::vector<unsigned char> pages(bytes.size() / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
  REQUIRE(::mincore(bytes.data(), bytes.size(), pages.data()) == 0);
  return std::all_of(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; });
}

/// Lets the guest wake and halt some times.
void talk(TestGuest& guest) {
  for (int i = 0; i < 20; ++i) CHECK(guest.ask('p') == "pong");
}

}  // namespace

TEST_CASE("pinned vCPUs may run on their host CPU alone, and no other thread of ours is bound") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.performance.pin_vcpus = true;
  const auto before = status_line(::gettid(), "Cpus_allowed_list:\t");
  BOOT_OR_SKIP(guest, config);
  const auto cpus = guest.machine().performance().vcpu_cpus;
  const auto threads = guest.machine().vcpu_thread_ids();
  REQUIRE(cpus.size() == threads.size());
  for (std::size_t i = 0; i < cpus.size(); ++i)
    CHECK(status_line(*threads[i], "Cpus_allowed_list:\t") == std::to_string(cpus[i]));
  CHECK(status_line(::gettid(), "Cpus_allowed_list:\t") == before);
}

TEST_CASE("two vCPUs of a pinned machine are on two host CPUs") {
  TEST_CONFIG(config, "1n1l2c1t");
  config.performance.pin_vcpus = true;
  BOOT_OR_SKIP(guest, config);
  const auto cpus = guest.machine().performance().vcpu_cpus;
  REQUIRE(cpus.size() == 2);
  CHECK(cpus[0] != cpus[1]);
  for (const auto thread : guest.machine().vcpu_thread_ids()) {
    const auto allowed = CpuSet::parse(status_line(*thread, "Cpus_allowed_list:\t"));
    REQUIRE(allowed.has_value());
    CHECK(allowed->count() == 1);
  }
}

TEST_CASE("a host that is too small for pinning is told, and starts nothing") {
  TEST_CONFIG(config, "1n1l64c1t");
  config.memory = ByteSize{1ULL << 30};
  if (::sysconf(_SC_NPROCESSORS_ONLN) >= 64) SKIP_TEST("a host of 64 CPUs");
  config.performance.pin_vcpus = true;
  const auto machine = start_machine(config, kTestBackend);
  REQUIRE_FALSE(machine.has_value());
  CHECK(machine.error().code == ErrorCode::kUnavailable);
  CHECK(machine.error().message.find("pinning 1n1l64c1t needs 64 host CPUs: one for each vCPU; this process "
                                     "may use ") == 0);
}

TEST_CASE("vCPUs get their priority of SCHED_FIFO, or the missing right is named") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.performance.realtime_priority = 7;
  BOOT_OR_SKIP(guest, config);
  for (const auto thread : guest.machine().vcpu_thread_ids()) {
    sched_param parameters{};
    REQUIRE(::sched_getparam(*thread, &parameters) == 0);
    CHECK(::sched_getscheduler(*thread) == SCHED_FIFO);
    CHECK(parameters.sched_priority == 7);
  }
  CHECK(::sched_getscheduler(0) == SCHED_OTHER);
  CHECK(guest.machine().performance().realtime_priority == 7);
}

TEST_CASE("a guest is told that its CPUs never wait when they don't, and so is its fork") {
  TEST_CONFIG(config, "1n1l1c1t");
  CHECK(boot(config).ask('h') == "0");
  config.performance = {.pin_vcpus = true, .realtime_priority = 1, .dedicated_cpus = true};
  BOOT_OR_SKIP(guest, config);
  CHECK(guest.ask('h') == "1");
  const auto snapshot = guest.machine().snapshot(std::chrono::seconds(30));
  REQUIRE(snapshot.has_value());
  auto fork = TestGuest::fork(**snapshot);
  REQUIRE(fork.has_value());
  CHECK(fork->ask('h') == "1");
  MachinePerformance kept;
  kept.dedicated_cpus = true;
  CHECK(fork->machine().performance() == kept);
  for (const auto thread : fork->machine().vcpu_thread_ids())
    CHECK(::sched_getscheduler(*thread) == SCHED_OTHER);
}

TEST_CASE("KVM does not poll at halts when it is told never to") {
  TEST_CONFIG(config, "1n1l1c1t");
  const auto polls = [&](Duration longest) {
    config.performance.halt_poll = longest;
    auto guest = boot(config);
    talk(guest);
    return statistics_of(guest).vcpus[0].kvm.halt_attempted_poll;
  };
  const auto never = polls(Duration(0));
  if (!never) SKIP_TEST("this KVM does not count polls");
  CHECK(never == 0);
}

TEST_CASE("prefaulted memory is there before the guest runs") {
  TEST_CONFIG(config, "2n2l1c1t");
  config.performance.prefault = true;
  const auto machine = start_machine(config, kTestBackend);
  REQUIRE_MESSAGE(machine.has_value(), machine.error().message);
  for (const auto& region : (*machine)->memory()) CHECK(is_resident(region.bytes));
}

TEST_CASE("huge pages back the guest's memory and are what KVM maps, until the reserved ones are used up") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.performance.huge_pages = true;
  BOOT_OR_SKIP(first, config);
  CHECK(first.machine().performance().ram_pages != RamPages::kOrdinary);
  const auto huge = statistics_of(first).vm.pages_2m;
  MESSAGE(enum_name(first.machine().performance().ram_pages) << ", 2M pages mapped: " << huge.value_or(0));
  CHECK(huge.value_or(1) > 0);
  const auto snapshot = first.machine().snapshot(std::chrono::seconds(30));
  REQUIRE_MESSAGE(snapshot.has_value(), snapshot.error().message);
  auto fork = TestGuest::fork(**snapshot);
  REQUIRE(fork.has_value());
  CHECK(fork->ask('p') == "pong");
  BOOT_OR_SKIP(second, config);
  MESSAGE("the second: " << enum_name(second.machine().performance().ram_pages));
  CHECK(second.ask('p') == "pong");
}

}  // namespace ktstr::vmm
