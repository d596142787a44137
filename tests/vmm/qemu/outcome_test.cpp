#include "vmm/qemu/outcome.h"

#include <doctest/doctest.h>
#include <signal.h>

namespace ktstr::vmm::qemu {
namespace {

EndOfMachine orderly() {
  return {.exit = {false, 0, ""}, .shutdown_reason = "guest-reset", .console = {}};
}

Error failure(const EndOfMachine& end) {
  const auto event = classify_end(end);
  REQUIRE(std::holds_alternative<MachineFailed>(event));
  return std::get<MachineFailed>(event).error;
}

}  // namespace

TEST_CASE("a guest that resets or powers off has exited") {
  CHECK(std::holds_alternative<GuestExited>(classify_end(orderly())));
}

TEST_CASE("a panic is told by the kernel's own line, however QEMU ended afterwards") {
  auto end = orderly();
  end.console.panic = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100";
  CHECK(std::get<GuestPanicked>(classify_end(end)).console_line == *end.console.panic);
  CHECK_FALSE(std::get<GuestPanicked>(classify_end(end)).other_cause);
  end.exit = {true, SIGKILL, ""};
  const auto killed = std::get<GuestPanicked>(classify_end(end));
  CHECK(killed.console_line == *end.console.panic);
  REQUIRE(killed.other_cause);
  CHECK(killed.other_cause->message == "QEMU was killed by SIGKILL");
}

TEST_CASE("what the console says of an int3 oops decides nothing here") {
  auto end = orderly();
  end.console.emulator_fault = "Oops: int3: 0000 [#1] SMP NOPTI";
  CHECK(std::holds_alternative<GuestExited>(classify_end(end)));
  end.console.panic = "Kernel panic - not syncing: Fatal exception in interrupt";
  CHECK(std::holds_alternative<GuestPanicked>(classify_end(end)));
}

TEST_CASE("a QEMU that was stopped has kept its guest from running") {
  auto end = orderly();
  end.exit = {true, SIGKILL, ""};
  end.stop_signal = SIGSTOP;
  end.console.panic = "Kernel panic - not syncing: written by a program before";
  CHECK(failure(end).code == ErrorCode::kIo);
  CHECK(failure(end).message == "QEMU was stopped by SIGSTOP: the guest stood still while time went on");
}

TEST_CASE("a crash of QEMU is the emulator's fault, with its last words") {
  auto end = orderly();
  end.exit = {true, SIGSEGV, "warning\n"};
  CHECK(failure(end).code == ErrorCode::kEmulatorFailed);
  CHECK(failure(end).message == "QEMU crashed with SIGSEGV: warning");
}

TEST_CASE("QEMU's own fatal errors are the emulator's fault") {
  for (const char* words :
       {"../accel/tcg.c:123: tcg fatal error\n", "qemu: fatal: Trying to execute code outside RAM\n",
        "KVM internal error. Suberror: 1\n"}) {
    CAPTURE(words);
    auto end = orderly();
    end.exit = {true, SIGABRT, words};
    CHECK(failure(end).code == ErrorCode::kEmulatorFailed);
    CHECK(failure(end).message.starts_with("QEMU gave up: "));
  }
}

TEST_CASE("a QEMU killed from outside is nobody's fault inside") {
  auto end = orderly();
  end.shutdown_reason.reset();
  end.exit = {true, SIGKILL, ""};
  CHECK(failure(end).code == ErrorCode::kIo);
  CHECK(failure(end).message == "QEMU was killed by SIGKILL");
  end.exit = {false, 0, "qemu: terminating on signal 15 from pid 7\n"};
  end.shutdown_reason = "host-signal";
  CHECK(failure(end).code == ErrorCode::kIo);
  CHECK(failure(end).message == "QEMU was told to end: qemu: terminating on signal 15 from pid 7");
}

TEST_CASE("a machine ended by its owner was cancelled") {
  auto end = orderly();
  end.exit = {true, SIGKILL, ""};
  end.killed_by_us = true;
  CHECK(failure(end).code == ErrorCode::kCancelled);
}

TEST_CASE("a QEMU that gives up with an exit code says why") {
  auto end = orderly();
  end.exit = {false, 1, "qemu: cannot set up guest memory\n"};
  CHECK(failure(end).message == "QEMU ended with exit code 1: qemu: cannot set up guest memory");
}

}  // namespace ktstr::vmm::qemu
