#include "introspect/ctprof/jemalloc/probe.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <thread>

#include "introspect/ctprof/jemalloc/process_heap.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Process {
  pid_t pid = 0;
  std::span<ThreadRecord> threads;
  ProbeResult<std::vector<ThreadData>> data = tl::unexpected(ProbeFailure::kNotJemalloc);
};

/// All but this one, which can't trace itself.
std::vector<Process> processes(std::vector<ThreadRecord>& threads) {
  std::vector<Process> list;
  for (std::size_t from = 0, to = 0; from < threads.size(); from = to) {
    const auto tgid = threads[from].tgid;
    while (to < threads.size() && threads[to].tgid == tgid) ++to;
    if (static_cast<pid_t>(tgid) != ::getpid())
      list.push_back({static_cast<pid_t>(tgid), std::span(threads).subspan(from, to - from)});
  }
  return list;
}

void find_data(const fs::path& proc, std::vector<Process>& list, unsigned workers) {
  JemallocFiles files;
  std::atomic<std::size_t> next = 0;
  const auto find_some = [&] {
    for (std::size_t i; (i = next.fetch_add(1)) < list.size();)
      list[i].data = find_thread_data(proc / std::to_string(list[i].pid), list[i].pid, files);
  };
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < workers; ++i) helpers.emplace_back(find_some);
  find_some();
}

/// A thread that has been asked to stop.
struct Stopping {
  ThreadRecord* record = nullptr;
  TracedThread thread;
};

std::vector<Stopping> interrupt(std::span<ThreadRecord> threads, ProbeTally& tally) {
  std::vector<Stopping> stopping;
  for (auto& record : threads) {
    auto thread = TracedThread::interrupt(static_cast<pid_t>(record.tid));
    if (thread)
      stopping.push_back({&record, std::move(*thread)});
    else
      tally.failed(thread.error());
  }
  return stopping;
}

ProbeResult<void> read_stopped(const fs::path& process, const Stopping& one,
                               const std::vector<ThreadData>& data) {
  auto& record = *one.record;
  const auto task = process / "task" / std::to_string(record.tid);
  const auto counters = read_counters(task, static_cast<pid_t>(record.tid),
                                      record.start_time_clock_ticks.value_or(0), one.thread, data);
  if (!counters) return tl::unexpected(counters.error());
  record.allocated_bytes = Bytes{counters->allocated};
  record.deallocated_bytes = Bytes{counters->deallocated};
  return {};
}

/// Reads the counters of each as soon as it has stopped and lets it go. How many did not stop in time.
/// There is no wait for a stop with a limit: waitpid(2) has none, and SIGCHLD is the whole process's.
std::size_t read_some(const fs::path& process, std::span<ThreadRecord> threads,
                      const std::vector<ThreadData>& data, ProbeTally& tally) {
  constexpr milliseconds kPatience{1000};
  constexpr microseconds kFirstPause{20}, kLongestPause{1000};
  auto stopping = interrupt(threads, tally);
  const auto deadline = steady_clock::now() + kPatience;
  for (auto pause = kFirstPause; !stopping.empty() && steady_clock::now() < deadline;
       pause = std::min(pause * 2, kLongestPause)) {
    std::erase_if(stopping, [&](Stopping& one) {
      const auto stopped = one.thread.has_stopped();
      if (stopped && !*stopped) return false;
      const auto read = stopped ? read_stopped(process, one, data) : tl::unexpected(stopped.error());
      read ? tally.read() : tally.failed(read.error());
      return true;
    });
    if (!stopping.empty()) std::this_thread::sleep_for(pause);
  }
  for (std::size_t i = 0; i < stopping.size(); ++i) tally.failed(ProbeFailure::kStop);
  return stopping.size();
}

/// A few threads at a time: on a busy machine each must wait for its turn on a CPU to stop. A process with
/// threads that don't, in uninterruptible sleep, is given up after a few waits.
void read_threads(const fs::path& path, const Process& process, ProbeTally& tally) {
  constexpr std::size_t kAtATime = 16;
  constexpr int kMostWaits = 3;
  auto rest = process.threads;
  for (int waits = 0; !rest.empty() && waits < kMostWaits;) {
    const auto some = rest.first(std::min(kAtATime, rest.size()));
    rest = rest.subspan(some.size());
    if (read_some(path, some, *process.data, tally) > 0) ++waits;
  }
  for (std::size_t i = 0; i < rest.size(); ++i) tally.failed(ProbeFailure::kStop);
}

}  // namespace

void probe_jemalloc(const fs::path& proc, Snapshot& snapshot, unsigned workers) {
  auto list = processes(snapshot.threads);
  find_data(proc, list, workers);
  ProbeTally tally;
  for (const auto& process : list) {
    tally.walked();
    if (!process.data) {
      tally.failed(process.data.error());
      continue;
    }
    tally.detected();
    // A thread of its own for each: with its end the kernel lets go of all that it traced, whatever happened.
    std::jthread([&] { read_threads(proc / std::to_string(process.pid), process, tally); }).join();
  }
  snapshot.probe_summary = tally.summary();
}

}  // namespace ktstr::introspect::ctprof
