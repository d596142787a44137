#include "introspect/ctprof/jemalloc/prober.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "engine/base/fd.h"
#include "introspect/ctprof/jemalloc/process_heap.h"
#include "introspect/ctprof/jemalloc/thread_batch.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

/// Beyond what the process has: the largest debug files are mapped, and compressed sections unpacked.
constexpr std::uint64_t kMemory = std::uint64_t{4} << 30;
/// Waits for threads that don't stop, in uninterruptible sleep, until their process is given up.
constexpr std::uint32_t kMostWaits = 3;
/// Deaths over a process's threads until it is given up.
constexpr std::uint32_t kMostDeaths = 4;

/// /proc/self/statm's sixth word: what RLIMIT_DATA counts.
std::uint64_t data_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  for (int i = 0; i < 6; ++i) file >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void lower(int resource, rlim_t limit) {
  rlimit limits{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &limits);
  limits.rlim_cur = std::min(limits.rlim_max, limit);
  ::setrlimit(static_cast<__rlimit_resource>(resource), &limits);
}

/// While it lives, this process gets a CPU before others do, where that is allowed: threads wait for it.
class Urgency {
 public:
  Urgency() { ::setpriority(PRIO_PROCESS, 0, -20); }
  ~Urgency() { ::setpriority(PRIO_PROCESS, 0, before_); }
  Urgency(const Urgency&) = delete;
  Urgency& operator=(const Urgency&) = delete;

 private:
  int before_ = ::getpriority(PRIO_PROCESS, 0);
};

class Prober {
 public:
  Prober(const fs::path& proc, std::span<const ThreadRecord> threads, std::chrono::milliseconds for_files,
         ProbeBoard& board)
      : proc_(proc), threads_(threads), for_files_(for_files), board_(board) {}

  /// Whether all that was traced has been let go.
  [[nodiscard]] bool probe(std::size_t index, const ProbedProcess& process) {
    auto& slot = board_.processes()[index];
    const auto open = open_threads(process);
    if (!slot.outcome.is_open() && open.empty()) return true;
    if (slot.waits >= kMostWaits) return give_up(open, ProbeFailure::kStop);
    if (slot.deaths >= kMostDeaths) return give_up(open, ProbeFailure::kStopTooLong);
    const auto data = find_data(index, process);
    if (!data) {
      if (slot.outcome.is_open()) slot.outcome.set_failure(data.error());
      return give_up(open, data.error());
    }
    slot.outcome.set_good();
    return read(process, open, *data, slot);
  }

 private:
  [[nodiscard]] std::vector<std::size_t> open_threads(const ProbedProcess& process) {
    std::vector<std::size_t> open;
    for (std::size_t i = process.first; i < process.first + process.count; ++i)
      if (board_.threads()[i].outcome.is_open()) open.push_back(i);
    return open;
  }
  bool give_up(const std::vector<std::size_t>& open, ProbeFailure failure) {
    for (const auto i : open) board_.threads()[i].outcome.set_failure(failure);
    return true;
  }
  ProbeResult<std::vector<ThreadData>> find_data(std::size_t index, const ProbedProcess& process) {
    board_.at_files(index);
    timer_.set(for_files_);
    auto data = find_thread_data(proc_ / std::to_string(process.pid), process.pid, files_);
    timer_.stop();
    return data;
  }
  bool read(const ProbedProcess& process, std::span<const std::size_t> open,
            const std::vector<ThreadData>& data, ProbeBoard::Process& slot) {
    const Urgency urgency;
    const ThreadBatch::Subject subject{proc_ / std::to_string(process.pid), data, threads_};
    while (!open.empty()) {
      const auto some = open.first(std::min(ThreadBatch::kMost, open.size()));
      open = open.subspan(some.size());
      if (ThreadBatch(subject, board_, timer_).read(some)) continue;
      ++slot.waits;
      return false;
    }
    return true;
  }

  const fs::path& proc_;
  std::span<const ThreadRecord> threads_;
  std::chrono::milliseconds for_files_;
  ProbeBoard& board_;
  KillTimer timer_;
  JemallocFiles files_;
};

}  // namespace

void become_expendable() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  lower(RLIMIT_DATA, data_bytes() + kMemory);
  lower(RLIMIT_CORE, 0);
  const Fd score(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  [[maybe_unused]] const auto written = ::write(score.get(), "1000", 4);  // a wish
}

void probe_and_exit(const fs::path& proc, std::span<const ProbedProcess> processes,
                    std::span<const ThreadRecord> threads, std::chrono::milliseconds for_files,
                    ProbeBoard& board) {
  Prober prober(proc, threads, for_files, board);
  for (std::size_t i = 0; i < processes.size(); ++i)
    if (!prober.probe(i, processes[i])) ::_exit(kLetGo);
  ::_exit(kAllProbed);
}

}  // namespace ktstr::introspect::ctprof
