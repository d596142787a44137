#include "introspect/ctprof/jemalloc/probe.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "engine/base/child.h"
#include "engine/base/fd.h"
#include "engine/base/io.h"
#include "introspect/ctprof/jemalloc/prober.h"

namespace ktstr::introspect::ctprof {
namespace {

namespace fs = std::filesystem;

/// All but this one, which can't trace itself.
std::vector<ProbedProcess> processes_of(const std::vector<ThreadRecord>& threads) {
  std::vector<ProbedProcess> list;
  for (std::size_t from = 0, to = 0; from < threads.size(); from = to) {
    const auto tgid = threads[from].tgid;
    while (to < threads.size() && threads[to].tgid == tgid) ++to;
    if (static_cast<pid_t>(tgid) != ::getpid()) list.push_back({static_cast<pid_t>(tgid), from, to - from});
  }
  return list;
}

/// The prober's status once it has ended; nothing when even SIGKILL does not end it, for it waits in the
/// kernel for somebody else. Then it is left behind.
std::optional<int> wait_for_end(pid_t prober, ProbeBoard& board) {
  constexpr std::chrono::seconds kSilence{10}, kForDeath{1};
  const auto end = open_pidfd(prober);
  for (auto beat = board.progress().beat.load(); end && !is_readable(end->get(), deadline_after(kSilence));) {
    const bool alive = beat != board.progress().beat;
    beat = board.progress().beat;
    if (alive) continue;
    ::kill(prober, SIGKILL);
    if (!is_readable(end->get(), deadline_after(kForDeath))) return std::nullopt;
  }
  const int status = reap(prober);
  return status < 0 ? std::nullopt : std::optional(status);
}

/// Writes down of whom a prober died. A thread is read once more: it may have been swapped out.
void blame(ProbeBoard& board, std::span<const ProbedProcess> processes) {
  constexpr std::uint32_t kMostDeaths = 2;
  const auto& at = board.progress();
  auto& process = board.processes()[at.process];
  if (at.thread > 0) {
    ++process.deaths;
    auto& thread = board.threads()[at.thread - 1];
    if (++thread.deaths >= kMostDeaths && thread.outcome.is_open())
      thread.outcome.set_failure(ProbeFailure::kStopTooLong);
    return;
  }
  if (process.outcome.is_open()) process.outcome.set_failure(ProbeFailure::kProbeDied);
  const auto& its = processes[at.process];
  for (auto& thread : board.threads().subspan(its.first, its.count))
    if (thread.outcome.is_open()) thread.outcome.set_failure(ProbeFailure::kProbeDied);
}

/// Starts probers, one after the other, until there is nothing left to do, or too many have died over files.
void probe_all(const fs::path& proc, std::span<const ProbedProcess> processes, const Snapshot& snapshot,
               const ProbeLimits& limits, ProbeBoard& board) {
  for (int deaths = 0; deaths < limits.deaths;) {
    const auto beat = board.progress().beat.load();
    const auto prober = ::fork();
    if (prober < 0) return;
    if (prober == 0) {
      become_expendable();
      probe_and_exit(proc, processes, snapshot.threads, limits.for_files, board);
    }
    const auto status = wait_for_end(prober, board);
    if (status && WIFEXITED(*status) && WEXITSTATUS(*status) == kAllProbed) return;
    const bool began = board.progress().beat != beat;
    if (!began || board.progress().thread == 0) ++deaths;
    const bool let_go = status && WIFEXITED(*status) && WEXITSTATUS(*status) == kLetGo;
    if (began && !let_go) blame(board, processes);
  }
}

void take(const ProbedProcess& process, ProbeBoard& board, Snapshot& snapshot, ProbeTally& tally) {
  for (std::size_t i = process.first; i < process.first + process.count; ++i) {
    const auto& thread = board.threads()[i];
    if (!thread.outcome.is_good()) {
      tally.failed(thread.outcome.is_open() ? ProbeFailure::kNotProbed : thread.outcome.failure());
      continue;
    }
    tally.read();
    snapshot.threads[i].allocated_bytes = Bytes{thread.allocated};
    snapshot.threads[i].deallocated_bytes = Bytes{thread.deallocated};
  }
}

}  // namespace

void probe_jemalloc(const fs::path& proc, Snapshot& snapshot, const ProbeLimits& limits) {
  const auto processes = processes_of(snapshot.threads);
  auto board = ProbeBoard::create(processes.size(), snapshot.threads.size());
  ProbeTally tally;
  if (board && !processes.empty()) probe_all(proc, processes, snapshot, limits, *board);
  for (std::size_t i = 0; i < processes.size(); ++i) {
    tally.walked();
    const auto outcome = board ? board->processes()[i].outcome : Outcome{};
    if (outcome.is_good()) {
      tally.detected();
      take(processes[i], *board, snapshot, tally);
    } else {
      tally.failed(outcome.is_open() ? ProbeFailure::kNotProbed : outcome.failure());
    }
  }
  if (board && board->progress().longest_stop_ns > 0) tally.stopped_for(board->progress().longest_stop_ns);
  snapshot.probe_summary = tally.summary();
}

}  // namespace ktstr::introspect::ctprof
