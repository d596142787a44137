// bench_ctprof: what a capture takes, against a loop that only opens and reads the same files, ps, and
// psutil.
#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "bench/ctprof/idle_threads.h"
#include "engine/base/fd.h"
#include "introspect/ctprof/capture.h"
#include "introspect/ctprof/file_reader.h"

namespace ktstr::bench {
namespace {

using namespace introspect::ctprof;
using Clock = std::chrono::steady_clock;

constexpr double kFloorLimit = 1.5;   ///< of the floor, per thread
constexpr double kPsutilLimit = 5.0;  ///< times faster than psutil
constexpr double kBytesPerThreadLimit = 4096;

constexpr const char* kFiles[] = {"comm", "stat", "schedstat", "status", "io", "sched", "cgroup"};
constexpr const char* kPs =
    "ps -eLo pid,tid,comm,cls,pri,ni,psr,stat,nlwp,min_flt,maj_flt,cputimes,start_time,cgroup >/dev/null";
constexpr const char* kPsutilCheck = "python3 -c 'import psutil' 2>/dev/null";
/// Of every thread: on Linux its id serves psutil as a process's.
constexpr const char* kPsutil =
    "python3 -c 'import psutil\n"
    "for p in psutil.process_iter():\n"
    "  try:\n"
    "    for t in p.threads():\n"
    "      q = psutil.Process(t.id)\n"
    "      q.io_counters(), q.cpu_times(), q.num_ctx_switches()\n"
    "  except psutil.Error: pass'";

/// The median of some runs, us.
double median_us(int rounds, const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

/// The medians of two things done in turns, us: what else the machine does meets both.
std::pair<double, double> median_us_in_turns(int rounds, const std::function<void()>& first,
                                             const std::function<void()>& second) {
  std::vector<double> firsts, seconds;
  for (int i = 0; i < rounds; ++i) {
    firsts.push_back(median_us(1, first));
    seconds.push_back(median_us(1, second));
  }
  std::ranges::sort(firsts);
  std::ranges::sort(seconds);
  return {firsts[firsts.size() / 2], seconds[seconds.size() / 2]};
}

/// Opens and reads a file into a buffer, as plainly as can be.
void read_plainly(const std::string& path, std::array<char, 16384>& buffer) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  while (fd && ::read(fd.get(), buffer.data(), buffer.size()) > 0) {
  }
}

/// The floor: the same files of every thread, by their paths, without a look at what they say.
void read_files(pid_t pid) {
  std::array<char, 16384> buffer;
  const auto tasks = fmt::format("/proc/{}/task", pid);
  for (const auto tid : numbered_entries(AT_FDCWD, tasks.c_str())) {
    const auto task = fmt::format("{}/{}/", tasks, tid);
    for (const auto* file : kFiles) read_plainly(task + file, buffer);
    if (tid == pid) read_plainly(task + "smaps_rollup", buffer);
  }
}

CaptureOptions options_for(std::optional<pid_t> pid, unsigned workers) {
  CaptureOptions options;
  options.pid = pid;
  options.workers = workers;
  return options;
}

/// What one capture of that process leaves allocated, by thread.
Result<double> bytes_per_thread(pid_t pid) {
  const auto before = ::mallinfo2();
  const auto snapshot = KTSTR_TRY(capture(options_for(pid, 1)));
  const auto after = ::mallinfo2();
  const auto bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
  return static_cast<double>(bytes) / static_cast<double>(snapshot.threads.size());
}

bool line(const char* what, double value, const char* unit, double limit, bool at_least = false) {
  const bool met = at_least ? value >= limit : value <= limit;
  fmt::print("{:44} {:8.2f} {} ({} {:.1f}) {}\n", what, value, unit, at_least ? "at least" : "at most", limit,
             met ? "ok" : "MISSED");
  return met;
}

Result<bool> against_others(std::size_t count, int rounds) {
  const auto threads = KTSTR_TRY(IdleThreads::start(count));
  const auto pid = threads->pid();
  const auto [floor, ours] = median_us_in_turns(
      rounds, [&] { read_files(pid); }, [&] { static_cast<void>(capture(options_for(pid, 1))); });
  const double host = median_us(rounds, [&] { static_cast<void>(capture(options_for({}, 0))); });
  const double ps = median_us(rounds, [] { static_cast<void>(std::system(kPs)); });
  const double n = static_cast<double>(count);
  fmt::print(
      "{} threads: floor {:.1f} us, ours {:.1f} us each, one reader; the whole host {:.1f} ms, ps {:.1f} "
      "ms\n",
      count, floor / n, ours / n, host / 1000, ps / 1000);
  bool met = line("ours / floor", ours / floor, "x", kFloorLimit);
  met &= line("memory per thread", KTSTR_TRY(bytes_per_thread(pid)), "B", kBytesPerThreadLimit);
  fmt::print("{:44} {:8.2f} x\n", "ps / whole host", ps / host);
  if (std::system(kPsutilCheck) != 0) {
    fmt::print("psutil is not installed here\n");
    return met;
  }
  const double psutil = median_us(rounds, [] { static_cast<void>(std::system(kPsutil)); });
  return line("psutil / whole host", psutil / host, "x", kPsutilLimit, true) && met;
}

/// One reader's time for each thread must not depend on how many there are.
Status growth(std::initializer_list<std::size_t> counts, int rounds) {
  for (const auto count : counts) {
    const auto threads = IdleThreads::start(count);
    if (!threads) return threads.error();
    const auto pid = (*threads)->pid();
    const auto [floor, us] = median_us_in_turns(
        rounds, [&] { read_files(pid); }, [&] { static_cast<void>(capture(options_for(pid, 1))); });
    const double n = static_cast<double>(count);
    fmt::print("{:6} threads: {:8.1f} ms, {:5.1f} us each, {:.2f} x the floor\n", count, us / 1000, us / n,
               us / floor);
  }
  return ok();
}

}  // namespace
}  // namespace ktstr::bench

int main(int argc, char** argv) {
  CLI::App app("Time of a capture of ktstr ctprof");
  int rounds = 5;
  std::size_t threads = 5000;
  app.add_option("--rounds", rounds, "of each measurement; the median counts")->check(CLI::PositiveNumber);
  app.add_option("--threads", threads, "of the process that is captured")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  const auto met = ktstr::bench::against_others(threads, rounds);
  const auto grown = met ? ktstr::bench::growth({500, 1000, 2000, 5000, 10000, 20000}, rounds) : ktstr::ok();
  if (!met) fmt::print(stderr, "bench_ctprof: {}\n", met.error().message);
  if (!grown) fmt::print(stderr, "bench_ctprof: {}\n", grown.error().message);
  return met && grown ? (*met ? 0 : 1) : 3;
}
