#include "engine/guest/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "engine/base/child.h"
#include "engine/base/io.h"
#include "engine/guest/clock.h"
#include "engine/guest/kernel_file.h"
#include "engine/guest/memory_left.h"
#include "engine/guest/placement.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::guest {
namespace {

constexpr Duration kKillTimeout = std::chrono::seconds(2);
constexpr Duration kReadyTimeout = std::chrono::seconds(10);

/// glibc's fork() writes to locks of its own in four pages, which would be copied for every worker. They
/// matter only where another thread may hold one: one that writes and has been left behind.
pid_t fork_worker() {
  return has_stuck_writers() ? ::fork() : ::_Fork();
}

}  // namespace

Launch::Launch(protocol::SpawnWorkers& request, WorkerMemory& memory)
    : request_(request), memory_(memory), group_size_(work_group_size(request.work)) {
  const auto sets = std::exchange(request.affinities, {});
  affinities_.reserve(sets.size());
  for (const auto& set : sets) affinities_.push_back(set.to_string());
}

Launch::~Launch() {
  kill_all();
}

void Launch::kill_all() {
  std::erase_if(states_, [](const auto& state) { return state->pid == 0; });
  for (const auto& state : states_) ::kill(state->pid, SIGKILL);
  for (const auto& state : states_) {
    if (const auto end = open_pidfd(state->pid))
      static_cast<void>(is_readable(end->get(), deadline_after(kKillTimeout)));
    ::waitpid(state->pid, nullptr, WNOHANG);  // one that does not die in time is reaped as an orphan
  }
  states_.clear();
}

Status Launch::check_count() const {
  const auto count = affinities_.size();
  if (count > kMostWorkersAtATime) return invalid_argument(std::to_string(count) + " workers are too many");
  if (group_size_ == 0 || count % group_size_ != 0)
    return invalid_argument(std::to_string(count) + " workers of " + std::string(work_name(request_.work)) +
                            " do not make whole groups of " + std::to_string(group_size_));
  return ok();
}

/// All of it before the first fork: whatever the agent writes to between two forks is copied for each worker.
Status Launch::take_memory() {
  const auto count = affinities_.size();
  states_.reserve(count);
  groups_.reserve(count / group_size_);
  for (std::size_t i = 0; i < count; ++i) states_.push_back(KTSTR_TRY(memory_.states.take()));
  for (std::size_t i = 0; i < count / group_size_; ++i)
    groups_.emplace_back(KTSTR_TRY(memory_.groups.take()));
  return ok();
}

Status Launch::fork_one(Group& group, std::size_t index, std::uint64_t seed) {
  auto& state = *states_[index];
  const auto agent = ::getpid();
  constexpr std::size_t kEvery = 64;  // asking costs as much as a fork
  if (index % kEvery == 0) KTSTR_TRY(check_memory_for(std::min(kEvery, states_.size() - index)));
  const auto pid = fork_worker();
  if (pid < 0 && errno == ENOMEM) return out_of_memory(index, states_.size());
  if (pid < 0) return system_error("fork");
  if (pid == 0)
    live_as_worker({request_, state, group, index % group_size_, seed},
                   {ready_.write_end.get(), go_.read_end.get()}, agent);
  ::setpgid(pid, pid);  // as the child does: whoever comes first
  state.pid = pid;
  return ok();
}

Status Launch::fork_group(std::size_t first, std::uint64_t seed) {
  const bool pipes =
      std::holds_alternative<PipeIo>(request_.work) || std::holds_alternative<CachePipe>(request_.work);
  auto group = KTSTR_TRY(Group::create(*groups_[first / group_size_], pipes));
  for (std::size_t i = first; i < first + group_size_; ++i) KTSTR_TRY(fork_one(group, i, seed + i));
  return ok();
}

Status Launch::fork_all(std::uint64_t seed) {
  KTSTR_TRY(check_count());
  KTSTR_TRY(check_memory_for(affinities_.size()));
  ready_ = KTSTR_TRY(make_pipe());
  go_ = KTSTR_TRY(make_pipe());
  KTSTR_TRY(take_memory());
  ::malloc_trim(0);  // page tables of what is free would be copied for every worker
  for (std::size_t i = 0; i < affinities_.size(); i += group_size_) KTSTR_TRY(fork_group(i, seed));
  ready_.write_end.reset();
  go_.read_end.reset();
  return wait_until_ready();
}

Status Launch::wait_until_ready() {
  for (std::size_t ready = 0; ready < states_.size();) {
    if (!is_readable(ready_.read_end.get(), deadline_after(kReadyTimeout)))
      return Error{ErrorCode::kTimeout, fmt::format("{} of {} workers did not get ready, none for 10 s",
                                                    states_.size() - ready, states_.size())};
    char byte[64];
    const auto got = read_some(ready_.read_end.get(), byte, sizeof byte);
    if (got < 0) return system_error("wait for workers");
    if (got == 0) return Error{ErrorCode::kIo, "a worker ended before its start"};
    ready += static_cast<std::size_t>(got);
  }
  return ok();
}

Status Launch::place(CgroupTree& cgroups) {
  std::vector<pid_t> pids;
  for (const auto& state : states_) {
    KTSTR_TRY(set_policy(state->pid, request_.policy, request_.nice));
    pids.push_back(state->pid);
  }
  if (request_.cgroup) KTSTR_TRY(cgroups.move(pids, request_.cgroup));
  for (std::size_t i = 0; i < pids.size(); ++i)
    if (!affinities_[i].empty()) KTSTR_TRY(set_affinity(pids[i], KTSTR_TRY(CpuSet::parse(affinities_[i]))));
  std::optional<CpuSet> allowed;
  if (request_.cgroup) allowed = cgroups.effective_cpus(*request_.cgroup);
  for (const auto& state : states_) set_allowed(*state, allowed);
  return ok();
}

std::vector<Worker> Launch::release() {
  std::vector<Worker> workers;
  workers.reserve(states_.size());
  for (std::size_t i = 0; i < states_.size(); ++i)
    workers.push_back({.pid = states_[i]->pid,
                       .cgroup = request_.cgroup,
                       .work = std::string(work_name(request_.work)),
                       .role = work_role(request_.work, i % group_size_),
                       .affinities = {affinities_[i]},
                       .state = std::move(states_[i]),
                       .group = groups_[i / group_size_],
                       .ending = {}});
  states_.clear();
  const auto now = monotonic_ns();
  for (auto& worker : workers) worker.state->released_ns = worker.state->last_progress_ns = now;
  go_.write_end.reset();
  return workers;
}

}  // namespace ktstr::engine::guest
