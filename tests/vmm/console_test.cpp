#include "vmm/console.h"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <sstream>

#include "tests/temporary_directory.h"
#include "vmm/console_line.h"

namespace ktstr::vmm {
namespace {

struct Stream {
  Fd guest, host;
};

Stream make_stream() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

void say(const Fd& guest, std::string_view text) {
  REQUIRE(::write(guest.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
}

}  // namespace

TEST_CASE("the kernel's panic line is recognised behind every printk prefix") {
  for (const char* line :
       {"Kernel panic - not syncing: Attempted to kill init!", "[    1.234567] Kernel panic - not syncing: x",
        "[   12.000001][  T1] Kernel panic - not syncing: x",
        "[    1.2][    C0] Kernel panic - not syncing: x"}) {
    CAPTURE(line);
    CHECK(classify_console_line(line) == ConsoleLineKind::kPanic);
  }
}

TEST_CASE("a program that quotes a panic is not taken for the kernel") {
  for (const char* line : {"worker: Kernel panic - not syncing: x", "[info] Kernel panic - not syncing: x",
                           "[    1.2] ---[ end Kernel panic - not syncing: x ]---", "[", ""}) {
    CAPTURE(line);
    CHECK(classify_console_line(line) == ConsoleLineKind::kOrdinary);
  }
}

TEST_CASE("an int3 oops is the emulator's fault, any other oops is not") {
  CHECK(classify_console_line("[    3.1] Oops: int3: 0000 [#1] SMP NOPTI") ==
        ConsoleLineKind::kEmulatorFault);
  CHECK(classify_console_line("[    3.1] Oops: general protection fault: 0000 [#1]") ==
        ConsoleLineKind::kOrdinary);
}

TEST_CASE("last_lines gives whole lines from the end") {
  CHECK(last_lines("a\nb\nc\n", 2) == "b\nc");
  CHECK(last_lines("a\nb\nc", 1) == "c");
  CHECK(last_lines("a\nb", 9) == "a\nb");
  CHECK(last_lines("a", 0).empty());
  CHECK(last_lines("", 3).empty());
}

TEST_CASE("the console keeps its tail, finds the panic and writes every byte to the log") {
  const ktstr::test::TemporaryDirectory directory;
  const auto log = directory.path() / "console.log";
  auto [guest, host] = make_stream();
  const auto console = *Console::open(std::move(host), log);
  say(guest, "booting\n[    1.0] Kernel pa");
  say(guest, "nic - not syncing: first\r\n[    1.1] Kernel panic - not syncing: second\n");
  guest.reset();
  console->wait_end();
  CHECK(console->findings().panic == "Kernel panic - not syncing: first");
  CHECK_FALSE(console->findings().emulator_fault.has_value());
  CHECK(console->tail(1) == "[    1.1] Kernel panic - not syncing: second");
  std::stringstream logged;
  logged << std::ifstream(log).rdbuf();
  CHECK(logged.str() ==
        "booting\n[    1.0] Kernel panic - not syncing: first\r\n"
        "[    1.1] Kernel panic - not syncing: second\n");
}

TEST_CASE("a console that never ends a line is kept within bounds") {
  auto [guest, host] = make_stream();
  const auto console = *Console::open(std::move(host), {});
  const std::string block(64 * 1024, 'x');
  for (int i = 0; i < 8; ++i) say(guest, block);
  guest.reset();
  console->wait_end();
  CHECK(console->tail(1).size() == Console::kTailBytes);
}

TEST_CASE("a console log that can't be opened is an error that names it") {
  auto [guest, host] = make_stream();
  const auto console = Console::open(std::move(host), "/nonexistent/console.log");
  CHECK(console.error().code == ErrorCode::kNotFound);
  CHECK(console.error().message.find("/nonexistent/console.log") != std::string::npos);
}

TEST_CASE("a full disk under the console log is reported and reading goes on") {
  auto [guest, host] = make_stream();
  const auto console = *Console::open(std::move(host), "/dev/full");
  say(guest, "one\ntwo\n");
  guest.reset();
  console->wait_end();
  CHECK(console->tail(2) == "one\ntwo");
  REQUIRE(console->log_error().has_value());
  CHECK(console->log_error()->code == ErrorCode::kIo);
  CHECK(log_problem(*console) == "console log /dev/full: write 8 bytes: No space left on device");
}

TEST_CASE("a console log has a limit, says where it ends, and reading goes on") {
  const ktstr::test::TemporaryDirectory directory;
  const auto log = directory.path() / "console.log";
  auto [guest, host] = make_stream();
  const auto console = *Console::open(std::move(host), log, 10);
  say(guest, "0123456");
  say(guest, "789and more\n");
  say(guest, "the last line\n");
  guest.reset();
  console->wait_end();
  std::stringstream logged;
  logged << std::ifstream(log).rdbuf();
  const auto limit =
      "the console log " + log.string() + " has reached its limit: the console's later lines are not in it";
  CHECK(logged.str() == "0123456789\n[ktstr: " + limit + "]\n");
  CHECK(log_problem(*console) == limit);
  CHECK(console->tail(1) == "the last line");
}

}  // namespace ktstr::vmm
