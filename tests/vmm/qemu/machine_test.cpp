#include <doctest/doctest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "tests/skip.h"
#include "tests/vmm/qemu/test_guest.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm::qemu {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kGiB = 1ULL << 30;
constexpr std::string_view kLinkedText =
    "ffffffff81000000";  // CONFIG_PHYSICAL_START of 16 MiB, on every x86-64 kernel

#define TEST_CONFIG(name, topology)                                   \
  auto name##_or_reason = test_config(topology);                      \
  if (!name##_or_reason) SKIP_TEST(name##_or_reason.error().message); \
  auto& name = *name##_or_reason

TestGuest boot(const MachineConfig& config) {
  auto guest = TestGuest::boot(config);
  const auto failure = guest ? std::string() : guest.error().message;
  INFO(failure);
  REQUIRE(guest.has_value());
  return std::move(*guest);
}

/// What test_init reports of a guest that shows exactly `topology`.
std::string expected_report(const Topology& topology) {
  std::string report;
  for (std::size_t cpu = 0; cpu < topology.cpus(); ++cpu)
    report += "cpu" + std::to_string(cpu) +
              " llc=" + topology.llc_cpus(cpu / topology.cpus_per_llc()).to_string() +
              " smt=" + topology.core_cpus(cpu).to_string() + "; ";
  for (std::size_t node = 0; node < topology.nodes; ++node)
    report += " node" + std::to_string(node) + "=" + topology.node_cpus(node).to_string();
  return report;
}

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

MachineEvent wait_for_event(Machine& machine) {
  const auto event = machine.wait_event(60s);
  const auto console = machine.console_tail(20);
  INFO(console);
  REQUIRE(event.has_value());
  return *event;
}

/// Ends of a pipe as a way for a forked process to say that it has come to a point.
struct Signal {
  int ends[2];
  Signal() { REQUIRE(::pipe(ends) == 0); }
  void raise() const { static_cast<void>(::write(ends[1], "!", 1)); }
  /// Whether it was raised before the other side ended.
  bool wait() {
    ::close(ends[1]);
    char byte = 0;
    return ::read(ends[0], &byte, 1) == 1;
  }
};

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
    CHECK_FALSE(vcpu->lstar.has_value());
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

TEST_CASE("CPUs that one host thread runs in turn have no thread of their own") {
  TEST_CONFIG(config, "1n1l2c1t");
  const auto machine = start_qemu(config);
  REQUIRE(machine.has_value());
  CHECK((*machine)->vcpu_thread_ids() == std::vector<std::optional<int>>(2));
  CHECK((*machine)->backend_name() == "qemu-tcg");
  CHECK((*machine)->is_emulated());
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
  const auto machine = start_qemu(config);
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

TEST_CASE("a QEMU killed in mid-run is a failure of the machine") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  const auto children = child_pids();
  REQUIRE(children.size() == 1);
  ::kill(children[0], SIGKILL);
  const auto event = wait_for_event(guest.machine());
  REQUIRE(std::holds_alternative<MachineFailed>(event));
  CHECK(std::get<MachineFailed>(event).error.code == ErrorCode::kIo);
  CHECK(std::get<MachineFailed>(event).error.message == "QEMU was killed by signal 9 (Killed)");
}

TEST_CASE("SIGKILL of the process that owns a machine ends its QEMU") {
  TEST_CONFIG(config, "1n1l1c1t");
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);  // so that an orphaned QEMU becomes ours to wait for
  Signal started;
  const auto owner = ::fork();
  if (owner == 0) {
    const auto machine = start_qemu(config);
    if (machine) started.raise();
    ::close(started.ends[1]);
    ::pause();
  }
  REQUIRE(started.wait());
  ::kill(owner, SIGKILL);
  REQUIRE(::waitpid(owner, nullptr, 0) == owner);
  int status = 0;
  const auto qemu = ::waitpid(-1, &status, 0);
  CHECK(qemu > 0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("a destroyed machine leaves no process") {
  TEST_CONFIG(config, "1n1l1c1t");
  {
    const auto machine = start_qemu(config);
    REQUIRE(machine.has_value());
    CHECK(child_pids().size() == 1);
  }
  CHECK(child_pids().empty());
}

TEST_CASE("a kernel that is none is refused with QEMU's own words") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.kaslr = false;
  config.kernel_elf = config.initramfs;
  const auto machine = start_qemu(config);
  REQUIRE_FALSE(machine.has_value());
  CHECK(machine.error().message.find("QEMU did not start: ") != std::string::npos);
  CHECK(child_pids().empty());
}

TEST_CASE("files that are not there are named") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto without_kernel = config;
  without_kernel.kernel_elf = "/nonexistent/vmlinux";
  CHECK(start_qemu(without_kernel).error().message.find("/nonexistent/vmlinux") != std::string::npos);
  auto without_initramfs = config;
  without_initramfs.initramfs = "/nonexistent/initramfs";
  CHECK(start_qemu(without_initramfs).error().message.find("/nonexistent/initramfs") != std::string::npos);
  CHECK(child_pids().empty());
}

}  // namespace ktstr::vmm::qemu
