#include "engine/protocol/scheduler_messages.h"

#include <doctest/doctest.h>

using ktstr::engine::protocol::exit_text;

TEST_CASE("a process's end has words") {
  CHECK(exit_text({"exited", 1}) == "exited 1");
  CHECK(exit_text({"signaled", 11}) == "killed by SIGSEGV");
  CHECK(exit_text({"signaled", {}}) == "killed by a signal");
  CHECK(exit_text({"timed out", 9}) == "killed by the agent after its time was over");
  CHECK(exit_text({"wait failed", 10}) == "could not be waited for (ECHILD)");
  CHECK(exit_text({"vanished", {}}) == "vanished");
}
