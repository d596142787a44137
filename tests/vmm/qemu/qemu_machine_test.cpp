#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "tests/temporary_directory.h"
#include "tests/vmm/test_guest.h"
#include "tests/vmm/tiny_kernel.h"
#include "vmm/qemu/qemu_machine.h"

namespace ktstr::vmm::qemu {
namespace {

using namespace std::chrono_literals;

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

TEST_CASE("CPUs that one host thread runs in turn have no thread of their own") {
  TEST_CONFIG(config, "1n1l2c1t");
  const auto machine = start_qemu(config);
  REQUIRE(machine.has_value());
  CHECK((*machine)->vcpu_thread_ids() == std::vector<std::optional<int>>(2));
  CHECK((*machine)->backend_name() == "qemu-tcg");
  CHECK((*machine)->is_emulated());
}

TEST_CASE("memory that is prefaulted is there for QEMU, which has no statistics of vCPUs") {
  TEST_CONFIG(config, "2n2l1c1t");
  config.performance.prefault = true;
  auto guest = boot(config);
  MachinePerformance expected;
  expected.prefaulted = true;
  CHECK(guest.machine().performance() == expected);
  for (const auto& region : guest.machine().memory()) {
    std::vector<unsigned char> pages(region.bytes.size() / static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)));
    REQUIRE(::mincore(region.bytes.data(), region.bytes.size(), pages.data()) == 0);
    CHECK(std::all_of(pages.begin(), pages.end(), [](unsigned char page) { return (page & 1) != 0; }));
  }
  CHECK(guest.machine().statistics().error().code == ErrorCode::kUnavailable);
}

TEST_CASE("a guest that resets leaves the registers of all vCPUs, one that powers off leaves none") {
  TEST_CONFIG(config, "1n1l2c1t");
  auto resetting = boot(config);
  resetting.tell('r');
  static_cast<void>(wait_for_event(resetting.machine()));
  const auto left = resetting.machine().last_registers();
  REQUIRE(left.size() == 2);
  for (const auto& registers : left) {
    REQUIRE(registers.has_value());
    CHECK((registers->rip >> 63) == 1);  // in the kernel
    CHECK((registers->cs & 3) == 0);
  }
  auto leaving = boot(config);
  leaving.tell('o');
  static_cast<void>(wait_for_event(leaving.machine()));
  CHECK(leaving.machine().last_registers().empty());
}

TEST_CASE("whatever is frozen while a guest ends can be thawed") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  guest.tell('r');
  auto frozen = guest.machine().freeze(10s);
  while (frozen) {
    REQUIRE(guest.machine().thaw().has_value());
    frozen = guest.machine().freeze(10s);
  }
  CHECK((frozen.error().code == ErrorCode::kCancelled || frozen.error().code == ErrorCode::kIo));
  CHECK(std::holds_alternative<GuestExited>(wait_for_event(guest.machine())));
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
  CHECK(std::get<MachineFailed>(event).error.message == "QEMU was killed by SIGKILL");
}

TEST_CASE("a QEMU that is stopped in mid-run is a failure of the machine") {
  TEST_CONFIG(config, "1n1l1c1t");
  auto guest = boot(config);
  ::kill(child_pids().at(0), SIGSTOP);
  const auto event = wait_for_event(guest.machine());
  REQUIRE(std::holds_alternative<MachineFailed>(event));
  CHECK(std::get<MachineFailed>(event).error.message ==
        "QEMU was stopped by SIGSTOP: the guest stood still while time went on");
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

TEST_CASE("a kernel that is none is refused") {
  TEST_CONFIG(config, "1n1l1c1t");
  config.kernel_elf = config.initramfs;
  for (const bool kaslr : {true, false}) {
    config.kaslr = kaslr;
    CHECK(start_qemu(config).error().message == config.initramfs.string() + ": kernel ELF: no ELF");
  }
  CHECK(child_pids().empty());
}

TEST_CASE("a bzImage that is none is refused with QEMU's own words") {
  TEST_CONFIG(config, "1n1l1c1t");
  const ktstr::test::TemporaryDirectory directory;
  test::TinyKernel immovable;
  immovable.relocations.clear();
  config.kernel_elf = directory.path() / "vmlinux";
  config.kernel_bzimage = config.initramfs;
  const auto elf = immovable.bytes();
  std::ofstream(config.kernel_elf).write(reinterpret_cast<const char*>(elf.data()), std::ssize(elf));
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
