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

Launch::Launch(protocol::SpawnWorkers& request, WorkerMemory& memory)
    : request_(request), memory_(memory), group_size_(work_group_size(request.work)) {
  const auto sets = std::exchange(request.affinities, {});
  affinities_.reserve(sets.size());
  for (const auto& set : sets) affinities_.push_back(set.to_string());
}

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
  KTSTR_TRY(make_pipe(ready_read_, ready_write_));
  return make_pipe(go_read_, go_write_);
}

Status Launch::check_count() const {
  const auto count = affinities_.size();
  if (count > kMostWorkersAtATime)
    return Error{ErrorCode::kInvalidArgument, std::to_string(count) + " workers are too many"};
  if (group_size_ == 0 || count % group_size_ != 0)
    return Error{ErrorCode::kInvalidArgument, std::to_string(count) + " workers of " +
                                                  work_name(request_.work) + " do not make whole groups of " +
                                                  std::to_string(group_size_)};
  return ok();
}

Status Launch::fork_one(Group& group, std::size_t index, std::uint64_t seed) {
  auto state = KTSTR_TRY(memory_.states.take());
  const auto member = index % group_size_;
  const auto agent = ::getpid();
  const auto pid = ::fork();
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    live_as_worker({request_, *state, group, member, seed}, {ready_write_.get(), go_read_.get()}, agent);
  ::setpgid(pid, pid);  // as the child does: whoever comes first
  workers_.push_back({.pid = pid,
                      .cgroup = request_.cgroup,
                      .work = work_name(request_.work),
                      .role = work_role(request_.work, member),
                      .affinities = {affinities_[index]},
                      .state = std::move(state),
                      .group = group.hold_memory(),
                      .ending = {}});
  return ok();
}

Status Launch::fork_group(std::size_t first, std::uint64_t seed) {
  const bool pipes =
      std::holds_alternative<PipeIo>(request_.work) || std::holds_alternative<CachePipe>(request_.work);
  auto group = KTSTR_TRY(Group::create(memory_.groups, pipes));
  for (std::size_t i = first; i < first + group_size_; ++i) KTSTR_TRY(fork_one(group, i, seed + i));
  return ok();
}

Status Launch::fork_all(std::uint64_t seed) {
  KTSTR_TRY(check_count());
  KTSTR_TRY(open_gate());
  workers_.reserve(affinities_.size());
  for (std::size_t i = 0; i < affinities_.size(); i += group_size_) KTSTR_TRY(fork_group(i, seed));
  ready_write_.reset();
  go_read_.reset();
  return wait_until_ready();
}

Status Launch::wait_until_ready() {
  auto deadline = monotonic_ns() + kReadyTimeoutNs;
  for (std::size_t ready = 0; ready < workers_.size();) {
    const auto now = monotonic_ns();
    pollfd bytes{ready_read_.get(), POLLIN, 0};
    const int polled =
        now < deadline ? ::poll(&bytes, 1, static_cast<int>((deadline - now) / 1'000'000 + 1)) : 0;
    if (polled == 0)
      return Error{ErrorCode::kTimeout, std::to_string(workers_.size() - ready) + " of " +
                                            std::to_string(workers_.size()) +
                                            " workers did not get ready, none for 10 s"};
    char byte[64];
    const auto got = polled < 0 ? -1 : ::read(ready_read_.get(), byte, sizeof byte);
    if (got < 0 && errno != EINTR) return system_error("wait for workers");
    if (got == 0) return Error{ErrorCode::kIo, "a worker ended before its start"};
    if (got <= 0) continue;
    ready += static_cast<std::size_t>(got);
    deadline = monotonic_ns() + kReadyTimeoutNs;
  }
  return ok();
}

Status Launch::place(CgroupTree& cgroups) {
  std::vector<pid_t> pids;
  for (const auto& worker : workers_) {
    KTSTR_TRY(set_policy(worker.pid, request_.policy, request_.nice));
    pids.push_back(worker.pid);
  }
  if (request_.cgroup) KTSTR_TRY(cgroups.move(pids, request_.cgroup));
  for (std::size_t i = 0; i < pids.size(); ++i)
    if (!affinities_[i].empty())
      KTSTR_TRY(set_affinity(pids[i], KTSTR_TRY(CpuSet::parse(affinities_[i]))));
  std::optional<CpuSet> allowed;
  if (request_.cgroup) allowed = cgroups.effective_cpus(*request_.cgroup);
  for (const auto& worker : workers_) set_allowed(*worker.state, allowed);
  return ok();
}

std::vector<Worker> Launch::release() {
  const auto now = monotonic_ns();
  for (auto& worker : workers_) worker.state->released_ns = worker.state->last_progress_ns = now;
  go_write_.reset();
  return std::exchange(workers_, {});
}

}  // namespace ktstr::engine::guest
