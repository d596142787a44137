#include "engine/observe/thread_clock.h"

#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <thread>

using namespace ktstr::engine;

namespace {

int current_tid() {
  return static_cast<int>(::syscall(SYS_gettid));
}

}  // namespace

TEST_CASE("a thread clock agrees with the thread's own") {
  const ThreadClock clock(current_tid());
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  while (std::chrono::steady_clock::now() < until) {
  }
  timespec own{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &own);
  const auto own_ns =
      static_cast<std::uint64_t>(own.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(own.tv_nsec);
  const auto seen = clock.read();
  REQUIRE(seen);
  CHECK(*seen <= own_ns + 20'000'000);
  CHECK(*seen + 20'000'000 >= own_ns);  // schedstat is brought up to date at ticks
}

TEST_CASE("a thread that is gone has no CPU time") {
  int tid = 0;
  ThreadClock clock;
  std::thread([&] { clock = ThreadClock(tid = current_tid()); }).join();
  CHECK_FALSE(clock.read());
  CHECK_FALSE(ThreadClock(tid).read());
  CHECK_FALSE(ThreadClock().read());
}
