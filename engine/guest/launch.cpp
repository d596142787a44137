#include "engine/guest/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "engine/guest/clock.h"
#include "engine/guest/placement.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::size_t kMostWorkers = 8192;
constexpr int kKillTimeoutMs = 2000;
constexpr std::uint64_t kReadyTimeoutNs = 10'000'000'000;

Status make_pipe(Fd& read_end, Fd& write_end) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error("pipe");
  read_end.reset(ends[0]);
  write_end.reset(ends[1]);
  return ok();
}

}  // namespace

Launch::~Launch() {
  for (const auto& worker : workers_) ::kill(worker.pid, SIGKILL);
  for (const auto& worker : workers_) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, worker.pid, 0)));
    pollfd end{process.get(), POLLIN, 0};
    ::poll(&end, 1, kKillTimeoutMs);
    ::waitpid(worker.pid, nullptr, WNOHANG);  // one that does not die in time is reaped as an orphan
  }
}

Status Launch::open_gate() {
  KTSTR_TRY_STATUS(make_pipe(ready_read_, ready_write_));
  return make_pipe(go_read_, go_write_);
}

Status Launch::make_groups() {
  const auto size = work_group_size(request_.work);
  const auto count = request_.affinities.size();
  if (count > kMostWorkers)
    return Error{ErrorCode::kInvalidArgument, std::to_string(count) + " workers are too many"};
  if (size == 0 || count % size != 0)
    return Error{ErrorCode::kInvalidArgument, std::to_string(count) + " workers of " +
                                                  work_name(request_.work) + " do not make whole groups of " +
                                                  std::to_string(size)};
  const bool pipes =
      std::holds_alternative<PipeIo>(request_.work) || std::holds_alternative<CachePipe>(request_.work);
  for (std::size_t i = 0; i < count / size; ++i) groups_.push_back(KTSTR_TRY(Group::create(pipes)));
  return ok();
}

Status Launch::fork_one(std::size_t index, std::uint64_t seed) {
  const auto size = work_group_size(request_.work);
  auto state = KTSTR_TRY(Shared<WorkerState>::create());
  const auto agent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    live_as_worker({request_, *state, groups_[index / size], index % size, seed},
                   {ready_write_.get(), go_read_.get()}, agent);
  ::setpgid(pid, pid);  // as the child does: whoever comes first
  workers_.push_back({pid, request_.cgroup, work_name(request_.work), std::move(state), std::nullopt});
  return ok();
}

Status Launch::fork_all(std::uint64_t seed) {
  KTSTR_TRY_STATUS(open_gate());
  KTSTR_TRY_STATUS(make_groups());
  for (std::size_t i = 0; i < request_.affinities.size(); ++i) KTSTR_TRY_STATUS(fork_one(i, seed + i));
  ready_write_.reset();
  go_read_.reset();
  return wait_until_ready();
}

Status Launch::wait_until_ready() {
  const auto deadline = monotonic_ns() + kReadyTimeoutNs;
  for (std::size_t ready = 0; ready < workers_.size();) {
    const auto now = monotonic_ns();
    pollfd bytes{ready_read_.get(), POLLIN, 0};
    const int polled =
        now < deadline ? ::poll(&bytes, 1, static_cast<int>((deadline - now) / 1'000'000 + 1)) : 0;
    if (polled == 0)
      return Error{ErrorCode::kTimeout, std::to_string(workers_.size() - ready) + " of " +
                                            std::to_string(workers_.size()) +
                                            " workers did not get ready within 10 s"};
    char byte[64];
    const auto got = polled < 0 ? -1 : ::read(ready_read_.get(), byte, sizeof byte);
    if (got < 0 && errno != EINTR) return system_error("wait for workers");
    if (got == 0) return Error{ErrorCode::kIo, "a worker ended before its start"};
    if (got > 0) ready += static_cast<std::size_t>(got);
  }
  return ok();
}

Status Launch::place(CgroupTree& cgroups) {
  std::vector<pid_t> pids;
  for (const auto& worker : workers_) {
    KTSTR_TRY_STATUS(set_policy(worker.pid, request_.policy, request_.nice));
    pids.push_back(worker.pid);
  }
  if (request_.cgroup) KTSTR_TRY_STATUS(cgroups.move(pids, request_.cgroup));
  for (std::size_t i = 0; i < pids.size(); ++i)
    if (!request_.affinities[i].empty()) KTSTR_TRY_STATUS(set_affinity(pids[i], request_.affinities[i]));
  return ok();
}

std::vector<Worker> Launch::release() {
  const auto now = monotonic_ns();
  for (auto& worker : workers_) worker.state->released_ns = worker.state->last_progress_ns = now;
  go_write_.reset();
  return std::exchange(workers_, {});
}

}  // namespace ktstr::engine::guest
