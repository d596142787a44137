#include "engine/guest/worker_set.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "engine/guest/clock.h"
#include "engine/guest/launch.h"
#include "engine/guest/stop.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::uint64_t kStopTimeoutNs = 5'000'000'000;
constexpr std::uint64_t kKillTimeoutNs = 2'000'000'000;
/// How often the stop signal is repeated, see stop.h.
constexpr timespec kStopRepeat{0, 20'000'000};

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
  ending.schedstat = read_schedstat(std::to_string(pid));
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

bool all_ended(const std::vector<Worker*>& workers) {
  return std::all_of(workers.begin(), workers.end(),
                     [](const auto* worker) { return worker->ending.has_value(); });
}

void signal_running(const std::vector<Worker*>& workers, bool whole_group, int signal) {
  for (const auto* worker : workers)
    if (!worker->ending) ::kill(whole_group ? -worker->pid : worker->pid, signal);
}

void wait_for_child() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGCHLD);
  ::sigtimedwait(&set, nullptr, &kStopRepeat);
}

}  // namespace

Result<std::vector<pid_t>> WorkerSet::spawn(const protocol::SpawnWorkers& request, CgroupTree& cgroups) {
  if (request.cgroup && KTSTR_TRY(cgroups.is_frozen(*request.cgroup)))
    return Error{ErrorCode::kInvalidArgument,
                 "the cgroup \"" + *request.cgroup + "\" is frozen: no worker could start in it"};
  Launch launch(request);
  KTSTR_TRY_STATUS(launch.fork_all(spawned_ + 1));
  KTSTR_TRY_STATUS(launch.place(cgroups));
  std::vector<pid_t> pids;
  for (auto& worker : launch.release()) {
    pids.push_back(worker.pid);
    workers_.push_back(std::move(worker));
  }
  spawned_ += pids.size();
  return pids;
}

void WorkerSet::reap() {
  while (true) {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0) return;
    const auto worker = std::find_if(workers_.begin(), workers_.end(),
                                     [&](const Worker& w) { return w.pid == info.si_pid && !w.ending; });
    if (worker != workers_.end())
      worker->ending = take_ending(info.si_pid);
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

std::vector<protocol::WorkerReport> WorkerSet::stop(const Choice& choice) {
  std::vector<Worker*> chosen;
  for (auto& worker : workers_)
    if (choice(worker)) chosen.push_back(&worker);

  reap();
  for (const auto deadline = monotonic_ns() + kStopTimeoutNs; !all_ended(chosen) && monotonic_ns() < deadline;
       reap()) {
    signal_running(chosen, false, kStopSignal);
    wait_for_child();
  }
  std::vector<Worker*> late;
  std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(late),
               [](const auto* worker) { return !worker->ending; });
  for (const auto deadline = monotonic_ns() + kKillTimeoutNs; !all_ended(late) && monotonic_ns() < deadline;
       reap()) {
    signal_running(late, true, SIGKILL);
    wait_for_child();
  }
  for (auto* worker : late) {
    if (!worker->ending)
      worker->ending = Ending{{"wait failed", ETIMEDOUT}, monotonic_ns(), {}, {}};
    else
      worker->ending->exit = {"timed out", SIGKILL};
  }

  std::vector<protocol::WorkerReport> reports;
  for (const auto* worker : chosen)
    reports.push_back(make_report(*worker, protocol::kMaxWakeLatenciesPerReply / chosen.size()));
  std::erase_if(workers_, choice);
  return reports;
}

}  // namespace ktstr::engine::guest
