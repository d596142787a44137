#include "introspect/ctprof/jemalloc/traced_thread.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <doctest/doctest.h>

namespace ktstr::introspect::ctprof {
namespace {

/// A child that waits to be killed.
class Sleeper {
 public:
  Sleeper() : pid_(::fork()) {
    if (pid_ == 0)
      for (;;) ::pause();
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string state() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with("State:")) return line;
    return {};
  }

 private:
  pid_t pid_;
};

}  // namespace

TEST_CASE("a traced thread is stopped, and goes on afterwards") {
  const Sleeper sleeper;
  {
    auto traced = TracedThread::seize(sleeper.pid());
    REQUIRE(traced.has_value());
    REQUIRE(traced->interrupt().has_value());
    while (!traced->has_stopped().value()) std::this_thread::yield();
    CHECK(sleeper.state() == "State:\tt (tracing stop)");
    CHECK(traced->thread_pointer().value().value() != 0);
    CHECK(TracedThread::seize(sleeper.pid()).error() == ProbeFailure::kSeize);
  }
  CHECK(sleeper.state() != "State:\tt (tracing stop)");
}

TEST_CASE("a thread that is killed while it is asked to stop is gone") {
  const Sleeper sleeper;
  auto traced = TracedThread::seize(sleeper.pid());
  REQUIRE(traced.has_value());
  REQUIRE(traced->interrupt().has_value());
  ::kill(sleeper.pid(), SIGKILL);
  auto stopped = traced->has_stopped();
  while (stopped) stopped = traced->has_stopped();
  CHECK(stopped.error() == ProbeFailure::kGone);
}

TEST_CASE("a thread that does not exist is gone, the own one can't be traced") {
  CHECK(TracedThread::seize(0x3fffff).error() == ProbeFailure::kGone);
  CHECK(TracedThread::seize(::gettid()).error() == ProbeFailure::kSeize);
}

}  // namespace ktstr::introspect::ctprof
