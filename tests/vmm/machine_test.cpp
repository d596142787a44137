// What every backend of Machine does: compiled once for each (test_guest.h).
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/vmm/expected_report.h"
#include "tests/vmm/test_guest.h"

namespace ktstr::vmm {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::string_view kLinkedText =
    "ffffffff81000000";  // CONFIG_PHYSICAL_START of 16 MiB, on every x86-64 kernel

/// A sum over all of the guest's RAM that any changed word changes.
std::uint64_t checksum(Machine& machine) {
  std::uint64_t sum = 0, place = 1;
  for (const auto& region : machine.memory())
    for (std::size_t at = 0; at + 8 <= region.bytes.size(); at += 8, place += 2) {
      std::uint64_t word = 0;
      std::memcpy(&word, region.bytes.data() + at, sizeof(word));
      sum += word * place;
    }
  return sum;
}

bool is_plausible_code_address(std::uint64_t rip) {
  constexpr std::uint64_t kUserEnd = 1ULL << 47, kKernelText = 0xffffffff80000000;
  return (rip != 0 && rip < kUserEnd) || rip >= kKernelText;
}

}  // namespace

TEST_CASE("one node, two LLCs: the guest shows the topology, at a random address") {
  TEST_CONFIG(config, "1n2l2c1t");
  auto guest = boot(config);
  CHECK(guest.ask('t') == expected_report(config.topology));
  CHECK(guest.ask('k') != kLinkedText);
}

TEST_CASE("one LLC: the guest shows the topology, at the linked address without KASLR") {
  TEST_CONFIG(config, "1n1l2c1t");
  config.kaslr = false;
  auto guest = boot(config);
  CHECK(guest.ask('t') == expected_report(config.topology));
  CHECK(guest.ask('k') == kLinkedText);
}

TEST_CASE("two LLCs of SMT cores: the guest shows the topology") {
  TEST_CONFIG(config, "1n2l2c2t");
  CHECK(boot(config).ask('t') == expected_report(config.topology));
}

TEST_CASE("two NUMA nodes: the guest shows the topology, at a random address") {
  TEST_CONFIG(config, "2n2l2c1t");
  auto guest = boot(config);
  CHECK(guest.ask('t') == expected_report(config.topology));
  CHECK(guest.ask('k') != kLinkedText);
}

TEST_CASE("four LLCs of one CPU on two nodes: the guest shows the topology") {
  TEST_CONFIG(config, "2n4l1c1t");
  CHECK(boot(config).ask('t') == expected_report(config.topology));
}

TEST_CASE("memory beyond 3 GiB lies at its guest-physical address") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.memory = ByteSize{4 * kGiB};
  auto guest = boot(config);
  const GuestPhys page(std::stoull(guest.ask('m'), nullptr, 16));
  CHECK(page >= GuestPhys(4 * kGiB));  // the kernel prefers memory that old devices can't reach
  const auto regions = guest.machine().memory();
  CHECK(regions.back().base == GuestPhys(4 * kGiB));
  CHECK(std::string_view(reinterpret_cast<const char*>(&regions.back().bytes[page - regions.back().base])) ==
        "a page of the guest");
}

TEST_CASE("a freeze gives every vCPU's registers and stops memory, nests, and ends with the last thaw") {
  TEST_CONFIG(config, "1n2l2c1t");
  auto guest = boot(config);
  REQUIRE(guest.ask('s') == "spinning");
  auto& machine = guest.machine();

  const auto frozen = machine.freeze(30s);
  REQUIRE(frozen.has_value());
  REQUIRE(frozen->vcpus.size() == 4);
  for (const auto& vcpu : frozen->vcpus) {
    REQUIRE(vcpu.has_value());
    CHECK(is_plausible_code_address(vcpu->rip));
    CHECK(vcpu->cr3 != 0);
    CHECK((vcpu->cr0 & 0x80000001) == 0x80000001);  // paging, protected mode
    CHECK((vcpu->efer & 0x500) == 0x500);           // long mode enabled and active
    CHECK(vcpu->idt_base > 0xffff800000000000);
    CHECK(vcpu->lstar.has_value() == (kTestBackend == Backend::kKvm));  // QEMU's gdbstub has no MSRs
  }
  const auto before = checksum(machine);
  const auto again = machine.freeze(30s);
  CHECK(again->vcpus[0]->rip == frozen->vcpus[0]->rip);
  REQUIRE(machine.thaw().has_value());
  CHECK(checksum(machine) == before);

  REQUIRE(machine.thaw().has_value());
  CHECK(guest.ask('p') == "pong");
  CHECK(checksum(machine) != before);
  CHECK_FALSE(machine.thaw().has_value());
}

TEST_CASE("a guest that resets has exited, and says so every time") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  guest.tell('r');
  CHECK(std::holds_alternative<GuestExited>(wait_for_event(guest.machine())));
  CHECK(std::holds_alternative<GuestExited>(wait_for_event(guest.machine())));
  CHECK_FALSE(guest.machine().freeze(1s).has_value());
}

TEST_CASE("a guest that powers off has exited") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  guest.tell('o');
  CHECK(std::holds_alternative<GuestExited>(wait_for_event(guest.machine())));
}

TEST_CASE("a guest whose init ends has panicked with the kernel's own line, and the log holds it") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.console_log = std::filesystem::temp_directory_path() / ("ktstr-panic-" + std::to_string(::getpid()));
  auto guest = boot(config);
  guest.tell('x');
  const auto event = wait_for_event(guest.machine());
  REQUIRE(std::holds_alternative<GuestPanicked>(event));
  const auto& line = std::get<GuestPanicked>(event).console_line;
  CHECK(line.starts_with("Kernel panic - not syncing: Attempted to kill init!"));
  std::stringstream log;
  log << std::ifstream(config.console_log).rdbuf();
  CHECK(log.str().find(line) != std::string::npos);
  std::filesystem::remove(config.console_log);
}

TEST_CASE("a guest that never gets ready leaves its last words to whoever stops waiting") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.kernel_args = {"test_mode=silent"};
  const auto machine = start_machine(config, kTestBackend);
  REQUIRE(machine.has_value());
  const auto deadline = std::chrono::steady_clock::now() + 120s;
  while ((*machine)->console_tail(5).find("init is stuck here") == std::string::npos) {
    const auto event = (*machine)->wait_event(100ms);
    REQUIRE(event.error().code == ErrorCode::kTimeout);
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
  (*machine)->kill();
  const auto event = (*machine)->wait_event(10s);
  REQUIRE(event.has_value());
  CHECK(std::get<MachineFailed>(*event).error.code == ErrorCode::kCancelled);
}

}  // namespace ktstr::vmm
