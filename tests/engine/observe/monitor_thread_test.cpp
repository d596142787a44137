#include <doctest/doctest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <latch>
#include <semaphore>
#include <thread>

#include "engine/observe/monitor_thread.h"

using namespace ktstr::engine;
using namespace ktstr;
using namespace std::chrono_literals;
using introspect::MonitorSample;
using Clock = std::chrono::steady_clock;

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

namespace {

using CpuTimes = std::span<const std::optional<std::uint64_t>>;

std::vector<std::uint64_t> times_of(const introspect::SampleSeries& samples) {
  std::vector<std::uint64_t> times;
  for (const auto& sample : samples) times.push_back(sample.elapsed_ns);
  return times;
}

/// When the sample was taken with which the series took more than so many bytes.
std::uint64_t first_beyond(const introspect::SampleSeries& samples, std::uint64_t bytes) {
  introspect::SampleSeries again;
  for (const auto& sample : samples) {
    again.add(sample);
    if (again.bytes() > bytes) return sample.elapsed_ns;
  }
  return 0;
}

}  // namespace

TEST_CASE("samples carry the time since the epoch, a period apart") {
  std::latch five(5);
  const auto epoch = Clock::now() - 10s;
  MonitorThread monitor({.period = 5ms, .epoch = epoch},
                        [&](Duration elapsed, CpuTimes) -> Result<MonitorSample> {
                          if (!five.try_wait()) five.count_down();
                          return MonitorSample::at(elapsed);
                        });
  five.wait();
  const auto taken = monitor.stop();
  REQUIRE(taken.samples.size() >= 5);
  const auto times = times_of(taken.samples);
  const auto first = times[0];
  const auto fifth = times[4];
  CHECK(first >= 10'000'000'000);
  CHECK(fifth >= first + 15'000'000);  // four periods, less at most one of lateness of the first
  CHECK(taken.failed_samples == 0);
}

TEST_CASE("times that pass during a slow sample are missed, not made up for") {
  std::latch two(2);
  const auto begin = Clock::now();
  MonitorThread monitor({.period = 1ms, .epoch = begin},
                        [&](Duration elapsed, CpuTimes) -> Result<MonitorSample> {
                          const auto until = Clock::now() + 20ms;
                          while (Clock::now() < until) {
                          }
                          if (!two.try_wait()) two.count_down();
                          return MonitorSample::at(elapsed);
                        });
  two.wait();
  const auto taken = monitor.stop();
  const auto periods = static_cast<std::uint64_t>((Clock::now() - begin) / 1ms);
  CHECK(taken.missed_periods >= 20);
  CHECK(taken.missed_periods + taken.samples.size() <= periods + 2);
}

TEST_CASE("samples that would take too much are taken farther apart, and all that were taken are kept") {
  constexpr std::ptrdiff_t kFirst = 40;
  constexpr std::uint64_t kMostBytes = 320;
  std::latch enough(kFirst);
  MonitorThread monitor({.period = 1ms, .epoch = Clock::now(), .max_bytes = kMostBytes},
                        [&](Duration elapsed, CpuTimes) -> Result<MonitorSample> {
                          if (!enough.try_wait()) enough.count_down();
                          return MonitorSample::at(elapsed);
                        });
  enough.wait();
  const auto taken = monitor.stop();
  CHECK(taken.samples.size() >= static_cast<std::size_t>(kFirst) - 1);
  CHECK(taken.samples.bytes() <= kMostBytes);
  REQUIRE(taken.slower.size() >= 2);
  CHECK(taken.slower[0].period_ns == 2'000'000);
  CHECK(taken.slower[0].elapsed_ns == first_beyond(taken.samples, kMostBytes / 2));
  CHECK(taken.slower[1].period_ns == 4'000'000);
  CHECK(taken.slower[1].elapsed_ns == first_beyond(taken.samples, kMostBytes * 3 / 4));
}

TEST_CASE("a long period does not delay the end") {
  std::latch one(1);
  MonitorThread monitor({.period = 10s, .epoch = Clock::now()},
                        [&](Duration elapsed, CpuTimes) -> Result<MonitorSample> {
                          one.count_down();
                          return MonitorSample::at(elapsed);
                        });
  one.wait();
  const auto begin = Clock::now();
  const auto taken = monitor.stop();
  CHECK(Clock::now() - begin < 5s);
  CHECK(taken.samples.size() == 1);
}

TEST_CASE("a sample that fails is counted, and the first reason kept") {
  std::latch three(3);
  std::atomic<int> calls = 0;
  MonitorThread monitor(
      {.period = 1ms, .epoch = Clock::now()}, [&](Duration elapsed, CpuTimes) -> Result<MonitorSample> {
        const int call = ++calls;
        if (!three.try_wait()) three.count_down();
        if (call <= 2) return Error{ErrorCode::kOutOfRange, "cpu" + std::to_string(call) + " can't be read"};
        return MonitorSample::at(elapsed);
      });
  three.wait();
  const auto taken = monitor.stop();
  CHECK(taken.failed_samples == 2);
  CHECK(taken.first_failure == "cpu1 can't be read");
  CHECK(taken.samples.size() >= 1);
}

TEST_CASE("samples see the CPU time of a vCPU's thread, and nothing for a shared one") {
  std::latch one(1);
  std::vector<std::optional<std::uint64_t>> seen;
  const int tid = static_cast<int>(::syscall(SYS_gettid));
  MonitorThread monitor({.period = 1s, .epoch = Clock::now(), .vcpu_tids = {tid, std::nullopt}},
                        [&](Duration elapsed, CpuTimes times) -> Result<MonitorSample> {
                          seen.assign(times.begin(), times.end());
                          one.count_down();
                          return MonitorSample::at(elapsed);
                        });
  one.wait();
  static_cast<void>(monitor.stop());
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].value_or(0) > 0);
  CHECK_FALSE(seen[1]);
}
