#include "engine/guest/worker_set.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <map>

#include "engine/guest/clock.h"
#include "engine/guest/memory_left.h"
#include "engine/guest/stop.h"

namespace ktstr::engine::guest {
namespace {

/// How long no chosen worker may end before the next means is taken.
constexpr std::uint64_t kStopTimeoutNs = 5'000'000'000;
constexpr std::uint64_t kKillTimeoutNs = 2'000'000'000;
/// The first repetition of the stop signal, see stop.h; each later one after twice the time.
constexpr std::uint64_t kFirstRepeatNs = 20'000'000;
constexpr std::uint64_t kLastRepeatNs = 1'000'000'000;
/// A look at all running workers costs time that they could use: between two looks passes this much more.
constexpr std::uint64_t kLookShare = 2;

std::uint64_t to_ns(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000U;
}

protocol::ExitInfo exit_info(int status) {
  if (WIFSIGNALED(status)) return {"signaled", WTERMSIG(status)};
  return {"exited", WEXITSTATUS(status)};
}

/// Precondition: `pid` has ended and is not reaped; so its number and its process group are still its own.
Ending take_ending(pid_t pid) {
  Ending ending;
  ending.at_ns = monotonic_ns();
  ending.schedstat = read_schedstat(pid);
  ::kill(-pid, SIGKILL);  // children that it left behind
  int status = 0;
  rusage usage{};
  if (::wait4(pid, &status, 0, &usage) != pid) {
    ending.exit = {"wait failed", errno};
    return ending;
  }
  ending.exit = exit_info(status);
  ending.rusage_ns = to_ns(usage.ru_utime) + to_ns(usage.ru_stime);
  return ending;
}

bool has_ended(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

/// A handler's frame takes a page or two of the worker's stack, and its end a few of the kernel's: signals
/// for thousands at once would take what little memory may be left.
constexpr std::uint64_t kStopBytes = 32 << 10;
constexpr std::size_t kFewestAsked = 64;

/// How many workers may be asked to stop that have not been asked before.
std::size_t room_for_asking() {
  const auto left = memory_left();
  return left ? std::max<std::size_t>(*left / kStopBytes, kFewestAsked) : SIZE_MAX;
}

void send(const Worker& worker, bool whole_group, int signal) {
  ::kill(whole_group ? -worker.pid : worker.pid, signal);
}

/// Sends the signal to those that have not been asked, as far as there is room. Whether all have been now.
bool ask(const std::vector<Worker*>& workers, bool whole_group, int signal) {
  auto room = room_for_asking();
  for (auto* worker : workers) {
    if (worker->asked) continue;
    if (room == 0) return false;
    --room;
    worker->asked = true;
    send(*worker, whole_group, signal);
  }
  return true;
}

void ask_again(const std::vector<Worker*>& workers, bool whole_group, int signal) {
  for (const auto* worker : workers)
    if (worker->asked) send(*worker, whole_group, signal);
}

/// All see it at the same moment; the signals are for those that sleep.
void raise_flags(const std::vector<Worker*>& workers) {
  for (auto* worker : workers) worker->state->stop.store(true, std::memory_order_relaxed);
}

void wait_for_child(std::uint64_t at_most_ns) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  const auto timeout = to_timespec(at_most_ns);
  ::sigtimedwait(&set, nullptr, &timeout);
}

void pause_for(std::uint64_t ns) {
  const auto time = to_timespec(ns);
  ::nanosleep(&time, nullptr);
}

}  // namespace

Result<std::vector<pid_t>> WorkerSet::spawn(protocol::SpawnWorkers& request) {
  if (request.cgroup && KTSTR_TRY(cgroups_.is_frozen(*request.cgroup)))
    return invalid_argument("the cgroup \"" + *request.cgroup + "\" is frozen: no worker could start in it");
  Launch launch(request, memory_);
  KTSTR_TRY(launch.fork_all(spawned_ + 1));
  KTSTR_TRY(launch.place(cgroups_));
  std::vector<pid_t> pids;
  for (auto& worker : launch.release()) {
    pids.push_back(worker.pid);
    by_pid_[worker.pid] = workers_.size();
    workers_.push_back(std::move(worker));
  }
  spawned_ += pids.size();
  return pids;
}

void WorkerSet::note_ending(Worker& worker) {
  worker.ending = take_ending(worker.pid);
  worker.ending->failure = causes_.of(worker, worker.ending->exit);
}

void WorkerSet::reap() {
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) return;
    const auto worker = by_pid_.find(info.si_pid);
    if (worker != by_pid_.end() && !workers_[worker->second].ending)
      note_ending(workers_[worker->second]);
    else if (!taker_(info.si_pid))
      ::waitpid(info.si_pid, nullptr, 0);
  }
}

std::vector<Worker*> WorkerSet::in_cgroup(const std::optional<std::string>& name) {
  std::vector<Worker*> found;
  for (auto& worker : workers_)
    if (worker.cgroup == name) found.push_back(&worker);
  return found;
}

Status WorkerSet::change_placement(const std::vector<std::string>& cgroups,
                                   const std::function<Status()>& change) {
  std::vector<Worker*> affected;
  for (const auto& name : cgroups)
    for (auto* worker : in_cgroup(name)) affected.push_back(worker);
  for (auto* worker : affected) set_allowed(*worker->state, std::nullopt);
  auto status = change();
  std::map<std::string, std::optional<CpuSet>> allowed;
  for (auto* worker : affected) {
    if (!worker->cgroup) continue;
    const auto [known, is_new] = allowed.try_emplace(*worker->cgroup);
    if (is_new) known->second = cgroups_.effective_cpus(*worker->cgroup);
    set_allowed(*worker->state, known->second);
  }
  return status;
}

/// Asks the kernel for each of them by its number: asked for any child it would look through all of them each
/// time.
void WorkerSet::note_endings(std::vector<Worker*>& running) {
  std::erase_if(running, [this](Worker* worker) {
    if (!worker->ending && has_ended(worker->pid)) note_ending(*worker);
    return worker->ending.has_value();
  });
}

/// Until all have ended or none does for `patience_ns`. The signal is repeated, ever more rarely: it may have
/// come when it interrupted nothing.
void WorkerSet::wait_for_endings(std::vector<Worker*>& running, bool whole_group, int signal,
                                 std::uint64_t patience_ns) {
  note_endings(running);
  auto repeat_ns = kFirstRepeatNs;
  auto signalled = monotonic_ns();
  for (auto* worker : running) worker->asked = false;
  bool all_asked = ask(running, whole_group, signal);
  for (auto last_ending = signalled; !running.empty();) {
    wait_for_child(repeat_ns);
    const auto before = running.size();
    const auto look = monotonic_ns();
    note_endings(running);
    const auto now = monotonic_ns();
    if (running.size() < before) last_ending = now;
    if (running.empty() || now >= last_ending + patience_ns) return;
    if (!all_asked) all_asked = ask(running, whole_group, signal);
    if (now >= signalled + repeat_ns) {
      ask_again(running, whole_group, signal);
      signalled = now;
      repeat_ns = std::min(2 * repeat_ns, kLastRepeatNs);
    }
    pause_for(kLookShare * (now - look));
  }
}

void WorkerSet::forget(const Choice& choice) {
  std::erase_if(workers_, choice);
  by_pid_.clear();
  for (std::size_t i = 0; i < workers_.size(); ++i) by_pid_[workers_[i].pid] = i;
}

std::vector<protocol::WorkerReport> WorkerSet::stop(const Choice& choice) {
  std::vector<Worker*> chosen;
  for (auto& worker : workers_)
    if (choice(worker)) chosen.push_back(&worker);

  auto running = chosen;
  raise_flags(running);
  wait_for_endings(running, false, kStopSignal, kStopTimeoutNs);
  const auto late = running;
  wait_for_endings(running, true, SIGKILL, kKillTimeoutNs);
  for (auto* worker : late) {
    if (!worker->ending)
      worker->ending = Ending{{"wait failed", ETIMEDOUT}, monotonic_ns(), {}, {}, {}};
    else
      worker->ending->exit = {"timed out", SIGKILL};
    worker->ending->failure.reset();  // it was ours
  }
  reap();  // others that ended meanwhile, whose signal was taken for a worker's

  std::vector<protocol::WorkerReport> reports;
  for (const auto* worker : chosen)
    reports.push_back(make_report(*worker, protocol::kMaxMigrationCpusPerReply / chosen.size()));
  forget(choice);
  return reports;
}

}  // namespace ktstr::engine::guest
