#include "engine/run/progress.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include <string>

#include "engine/base/fd.h"
#include "tests/skip.h"

using namespace ktstr;
using namespace ktstr::engine;
using namespace std::chrono_literals;

TEST_CASE("progress reads like a sentence") {
  CHECK(to_text(Progress{.stage = Stage::kBooting, .elapsed = 3240ms}) == "booting 3.2s");
  CHECK(to_text(Progress{.stage = Stage::kStep, .step = 2, .steps = 3, .remaining = Duration(4100ms)}) ==
        "step 2/3, 4s left");
}

TEST_CASE("a terminal sees the line, and its erasure at the end") {
  int controller = -1, terminal = -1;
  if (::openpty(&controller, &terminal, nullptr, nullptr, nullptr) != 0) SKIP_TEST("no pseudo-terminals");
  const Fd controller_fd(controller), terminal_fd(terminal);
  { ProgressLine(terminal).show(Progress{.stage = Stage::kBooting}); }
  const std::string expected = "\r\033[Kbooting 0.0s\r\033[K";
  std::string seen;
  for (char c = 0; seen.size() < expected.size() && ::read(controller, &c, 1) == 1;) seen += c;
  CHECK(seen == expected);
}

TEST_CASE("other output has a line of its own") {
  int controller = -1, terminal = -1;
  if (::openpty(&controller, &terminal, nullptr, nullptr, nullptr) != 0) SKIP_TEST("no pseudo-terminals");
  const Fd controller_fd(controller), terminal_fd(terminal);
  {
    ProgressLine line(terminal);
    line.show(Progress{.stage = Stage::kBooting});
    line.write_above("printed\n");
    line.show(Progress{.stage = Stage::kBooting});
  }
  const std::string expected = "\r\033[Kbooting 0.0s\r\033[Kprinted\r\n\r\033[Kbooting 0.0s\r\033[K";
  std::string seen;
  for (char c = 0; seen.size() < expected.size() && ::read(controller, &c, 1) == 1;) seen += c;
  CHECK(seen == expected);
}

TEST_CASE("a pipe sees nothing") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Fd reader(ends[0]);
  {
    const Fd writer(ends[1]);
    ProgressLine(writer.get()).show(Progress{.stage = Stage::kBooting});
  }
  char byte = 0;
  CHECK(::read(reader.get(), &byte, 1) == 0);
}
