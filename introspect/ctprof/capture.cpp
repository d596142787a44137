#include "introspect/ctprof/capture.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <deque>
#include <thread>

#include "engine/base/thread.h"
#include "introspect/ctprof/file_reader.h"
#include "introspect/ctprof/machine_stats.h"
#include "introspect/ctprof/parse/host_files.h"
#include "introspect/ctprof/parse/text.h"
#include "introspect/ctprof/thread_reader.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

/// Every thread there is, ascending by process and thread, and the names of processes that they point to.
struct ThreadList {
  std::vector<ThreadId> threads;
  std::deque<std::optional<std::string>> names;
};

ThreadList list_threads(int proc, const std::vector<std::int32_t>& tgids) {
  ThreadList list;
  FileReader files;
  for (const auto tgid : tgids) {
    const auto directory = std::to_string(tgid);
    const auto comm = files.read(proc, (directory + "/comm").c_str());
    list.names.push_back(comm ? std::optional(parse_comm(*comm)) : std::nullopt);
    for (const auto tid : numbered_entries(proc, (directory + "/task").c_str()))
      list.threads.push_back({tgid, tid, &list.names.back()});
  }
  return list;
}

/// What one worker has counted.
struct Share {
  ParseTally tally;
  std::optional<TaskstatsSummary> taskstats;
};

/// Reading of all threads at once. Each record is written where it stays: moving them would cost more than
/// parsing.
class Sweep {
 public:
  Sweep(int proc, const CaptureOptions& options, const TaskstatsGates& gates, const ThreadList& list)
      : proc_(proc), options_(options), gates_(gates), list_(list), records_(list.threads.size()) {}

  std::vector<Share> run(unsigned workers) {
    std::vector<Share> shares(workers);
    {
      std::vector<std::jthread> helpers;
      for (unsigned i = 1; i < workers && add_helper(helpers, [&, i] { shares[i] = read_share(); }); ++i) {
      }
      shares[0] = read_share();
    }  // waits for them
    return shares;
  }
  /// In the order of the list, without those that were gone.
  std::vector<ThreadRecord> take_records() {
    std::erase_if(records_, [](const ThreadRecord& record) { return record.tid == 0; });
    return std::move(records_);
  }

 private:
  /// Where there is no room for another task, those there are do all the work.
  template <class Work>
  static bool add_helper(std::vector<std::jthread>& helpers, Work work) {
    auto helper = with_threads("a reader", [&] { return std::jthread(work); });
    if (helper) helpers.push_back(std::move(*helper));
    return helper.has_value();
  }

  /// Reads what is left of the list, a few threads at a time, until nothing is.
  Share read_share() {
    using Clock = std::chrono::steady_clock;
    const std::size_t at_a_time = options_.rests ? 1 : 32;
    ThreadReader reader(proc_, options_.live, gates_);
    for (std::size_t from; (from = next_.fetch_add(at_a_time)) < records_.size();) {
      const auto begin = Clock::now();
      for (std::size_t i = from; i < std::min(from + at_a_time, records_.size()); ++i)
        if (auto record = reader.read(list_.threads[i])) records_[i] = std::move(*record);
      if (options_.rests) std::this_thread::sleep_for(Clock::now() - begin);
    }
    return {reader.tally(), reader.taskstats()};
  }

  int proc_;
  const CaptureOptions& options_;
  const TaskstatsGates& gates_;
  const ThreadList& list_;
  std::vector<ThreadRecord> records_;
  std::atomic<std::size_t> next_ = 0;
};

void add(std::optional<TaskstatsSummary>& total, const std::optional<TaskstatsSummary>& share) {
  if (!share) return;
  if (!total) total.emplace();
  total->ok_count += share->ok_count;
  total->eperm_count += share->eperm_count;
  total->esrch_count += share->esrch_count;
  total->other_count += share->other_count;
  if (!total->unavailable) total->unavailable = share->unavailable;
}

void add_up(const std::vector<Share>& shares, Snapshot& snapshot) {
  ParseTally tally;
  for (const auto& share : shares) {
    tally.add(share.tally);
    add(snapshot.taskstats_summary, share.taskstats);
  }
  snapshot.parse_summary = tally.summary();
}

/// Whether the path is below the root of this process's cgroup namespace; others begin with "/..".
bool can_be_looked_up(const std::string& cgroup) {
  return cgroup.starts_with('/') && !cgroup.starts_with("/..");
}

void read_cgroups(const fs::path& root, Snapshot& snapshot) {
  for (const auto& thread : snapshot.threads)
    if (thread.cgroup && can_be_looked_up(*thread.cgroup) && !snapshot.cgroup_stats.contains(*thread.cgroup))
      snapshot.cgroup_stats.emplace(*thread.cgroup, read_cgroup_stats(root, *thread.cgroup));
}

/// All processes, or the one that is asked for.
Result<std::vector<std::int32_t>> processes(int proc, const CaptureOptions& options) {
  auto all = numbered_entries(proc, ".");
  if (options.live && all.empty())
    return Error{ErrorCode::kUnavailable,
                 options.proc.string() + ": no process in it; is proc mounted there?"};
  if (!options.pid) return all;
  if (!open_directory(proc, (std::to_string(*options.pid) + "/task").c_str()))
    return Error{ErrorCode::kNotFound, "there is no process " + std::to_string(*options.pid)};
  return std::vector{*options.pid};
}

}  // namespace

unsigned capture_workers(unsigned cpus, double load) {
  const double idle = std::max(1.0, cpus - load);
  return std::clamp(static_cast<unsigned>(idle), 1u, cpus / 2 + 1);
}

unsigned worker_count(const CaptureOptions& options) {
  if (options.workers > 0) return options.workers;
  FileReader files;
  const auto text = files.read(options.proc / "loadavg");
  const auto load = text ? parse_loadavg(*text) : std::nullopt;
  return capture_workers(std::max(1u, std::thread::hardware_concurrency()), load.value_or(0));
}

Result<Snapshot> capture(const CaptureOptions& options) {
  Snapshot snapshot;
  snapshot.captured_at_unix_ns = clock_ns(CLOCK_REALTIME);
  if (options.live) snapshot.captured_at_boot_ns = clock_ns(CLOCK_BOOTTIME);
  if (options.live) snapshot.capturer_tgid = static_cast<std::uint32_t>(::getpid());
  const Fd proc(::open(options.proc.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc) return system_error(options.proc.string());
  const auto tgids = KTSTR_TRY(processes(proc.get(), options));
  snapshot.host = read_host_context(options.proc, options.sys);
  const auto list = list_threads(proc.get(), tgids);
  const auto gates = taskstats_gates(snapshot.host);
  Sweep sweep(proc.get(), options, gates, list);
  add_up(sweep.run(worker_count(options)), snapshot);
  snapshot.threads = sweep.take_records();
  read_cgroups(options.cgroup.value_or(find_cgroup_root(options.sys)), snapshot);
  snapshot.pressure = read_system_pressure(options.proc);
  snapshot.sched_ext = read_sched_ext(options.sys);
  return snapshot;
}

}  // namespace ktstr::introspect::ctprof
