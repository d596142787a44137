#include "engine/base/system_names.h"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>

using ktstr::errno_name;
using ktstr::signal_name;

TEST_CASE("signals have the names of their manual page") {
  CHECK(signal_name(SIGSEGV) == "SIGSEGV");
  CHECK(signal_name(SIGKILL) == "SIGKILL");
  CHECK(signal_name(SIGRTMIN) == "SIGRTMIN+0");
  CHECK(signal_name(99) == "signal 99");
  CHECK(signal_name(-1) == "signal -1");
}

TEST_CASE("errors have the names of their manual page") {
  CHECK(errno_name(EACCES) == "EACCES");
  CHECK(errno_name(0) == "error 0");
  CHECK(errno_name(4095) == "error 4095");
}
