#include "engine/run/death_evidence.h"

#include <doctest/doctest.h>

#include "tests/introspect/machine/log_guest.h"

using ktstr::engine::agents_last_words;

namespace ktstr::engine {
namespace {

using introspect::test::LogGuest;

const vmm::GuestPanicked kForged{"Kernel panic - not syncing: forged"};

/// A guest with these counters, and a log that programs and the kernel may have written.
struct DeadGuest : LogGuest {
  DeadGuest(std::int32_t panic_cpu, std::uint32_t oopses) {
    write(add_symbol("panic_cpu", 4), panic_cpu);
    write(add_symbol("die_counter", 4), oopses);
  }
};

}  // namespace

TEST_CASE("what programs write to the kernel's log proves no panic") {
  DeadGuest guest(-1, 0);
  guest.add(0, 1, 1, "Kernel panic - not syncing: forged", 0);
  guest.add(1, 2, 1, "Oops: int3: forged", 64);
  const auto evidence = read_death_evidence(guest.attach());
  CHECK(evidence.panicked == false);
  CHECK_FALSE(evidence.panic_line);
  CHECK(evidence.int3_oops == false);
}

TEST_CASE("a panic's line is the kernel's, whatever a program wrote before") {
  DeadGuest guest(0, 0);
  guest.add(0, 1, 1, "Kernel panic - not syncing: forged", 0);
  guest.add(1, 2, 0, "Kernel panic - not syncing: true\nmore", 64);
  CHECK(read_death_evidence(guest.attach()).panic_line == "Kernel panic - not syncing: true");
}

TEST_CASE("an oops of another kind does not make a forged int3 true") {
  DeadGuest guest(-1, 1);
  guest.add(0, 1, 0, "Oops: 0002 [#1] SMP", 0);
  guest.add(1, 2, 1, "Oops: int3: forged", 64);
  CHECK(read_death_evidence(guest.attach()).int3_oops == false);
  guest.add(2, 3, 0, "Oops: int3: 0000 [#2] SMP", 128);
  CHECK(read_death_evidence(guest.attach()).int3_oops == true);
}

TEST_CASE("where the log can't be read, the counter of oopses decides") {
  DeadGuest guest(-1, 1);
  guest.write(guest.symbol("prb"), std::uint64_t{0});
  CHECK(read_death_evidence(guest.attach()).int3_oops == true);
}

TEST_CASE("without the kernel's variables nothing is known") {
  const LogGuest guest;
  const auto evidence = read_death_evidence(guest.attach());
  CHECK_FALSE(evidence.panicked);
  CHECK_FALSE(evidence.int3_oops);
}

TEST_CASE("a kernel that has not panicked has exited, or was ended by what else is known") {
  const DeathEvidence lives{.panicked = false, .panic_line = {}, .int3_oops = {}};
  CHECK(std::holds_alternative<vmm::GuestExited>(by_evidence(kForged, lives)));
  auto killed = kForged;
  killed.other_cause = Error{ErrorCode::kIo, "QEMU was killed by SIGKILL"};
  const auto event = by_evidence(killed, lives);
  REQUIRE(std::holds_alternative<vmm::MachineFailed>(event));
  CHECK(std::get<vmm::MachineFailed>(event).error.message == "QEMU was killed by SIGKILL");
}

TEST_CASE("a kernel that has panicked has, whether it is on the console or not") {
  const DeathEvidence dead{.panicked = true, .panic_line = "Kernel panic - not syncing: x", .int3_oops = {}};
  for (const vmm::MachineEvent& told : {vmm::MachineEvent(kForged), vmm::MachineEvent(vmm::GuestExited{})}) {
    const auto event = by_evidence(told, dead);
    REQUIRE(std::holds_alternative<vmm::GuestPanicked>(event));
    CHECK(std::get<vmm::GuestPanicked>(event).console_line == "Kernel panic - not syncing: x");
  }
}

TEST_CASE("an emulator's failure stays the cause of whatever its guest says") {
  const DeathEvidence dead{.panicked = true, .panic_line = "Kernel panic - not syncing: x", .int3_oops = {}};
  const vmm::MachineFailed failure{{ErrorCode::kEmulatorFailed, "QEMU gave up"}};
  CHECK(std::holds_alternative<vmm::MachineFailed>(by_evidence(failure, dead)));
}

TEST_CASE("without evidence the event stays as the console tells it") {
  const auto event = by_evidence(kForged, {});
  REQUIRE(std::holds_alternative<vmm::GuestPanicked>(event));
  CHECK(std::get<vmm::GuestPanicked>(event).console_line == kForged.console_line);
}

}  // namespace ktstr::engine

TEST_CASE("the agent's last words are its last complaint") {
  CHECK(agents_last_words(
            "[ 1.0] PCI: x\r\nktstr-agent: first\r\nktstr-agent: no channel device\r\n[ 9.0] reboot\n") ==
        "no channel device");
  CHECK(agents_last_words("ktstr-agent: cut") == "cut");
}

TEST_CASE("a kernel that quotes the agent is not the agent") {
  CHECK_FALSE(agents_last_words("[ 1.0] ktstr-agent: fake\nsome ktstr-agent: fake\n"));
  CHECK_FALSE(agents_last_words(""));
}
