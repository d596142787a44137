#include "engine/guest/worker.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>

#include "engine/guest/recorder.h"
#include "engine/guest/stop.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {
namespace {

[[noreturn]] void die(WorkerState& state, const char* why) {
  std::snprintf(state.failure, sizeof state.failure, "%s", why);
  std::fprintf(stderr, "ktstr-agent: worker %d: %s\n", ::getpid(), why);
  ::_exit(1);
}

/// The agent's death is the worker's, however it comes.
void tie_to(pid_t agent, WorkerState& state) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) die(state, "can't tie itself to the agent");
  if (::getppid() != agent) ::_exit(1);  // it died before that
  ::setpgid(0, 0);                       // its children can be killed with it
}

template <std::size_t N>
void close_all_but(std::array<int, N> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned first = 0;
  for (const int fd : keep) {
    if (fd < 0) continue;
    const auto kept = static_cast<unsigned>(fd);
    if (kept > first) ::close_range(first, kept - 1, 0);
    first = std::max(first, kept + 1);
  }
  ::close_range(first, ~0U, 0);
}

void name_itself(const protocol::SpawnWorkers& request) {
  // The names of work types end with a zero. The kernel cuts them to 15 bytes.
  ::prctl(PR_SET_NAME, request.comm.empty() ? work_name(request.work).data() : request.comm.c_str());
}

void wait_for_release(StartGate gate, WorkerState& state) {
  if (::write(gate.ready, "r", 1) != 1) die(state, "the agent no longer waits for it");
  ::close(gate.ready);
  char byte;
  while (::read(gate.go, &byte, 1) < 0 && errno == EINTR && !stopping()) continue;
  ::close(gate.go);
}

}  // namespace

void live_as_worker(const WorkerPlan& plan, StartGate gate, pid_t agent) {
  tie_to(agent, plan.state);
  Group& group = plan.group;
  const auto ends = group.ends_of(plan.member);
  close_all_but(
      std::array{STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, gate.ready, gate.go, ends[0], ends[1]});
  install_stop_handler(plan.state.stop);
  name_itself(plan.request);
  if (const auto stat = read_schedstat(0)) {
    plan.state.schedstat_at_release = *stat;
    plan.state.has_schedstat = true;
  }
  Recorder recorder(plan.state, plan.seed);
  wait_for_release(gate, plan.state);
  ::prctl(PR_SET_TIMERSLACK, 1);  // ns: a wake latency is the scheduler's alone
  recorder.release();
  const auto status = std::visit(
      [&](const auto& work) {
        return run(work, {recorder, group, plan.member});
      },
      plan.request.work);
  recorder.finish();
  if (!status) die(plan.state, status.error().message.c_str());
  ::_exit(0);
}

std::string_view work_name(const Work& work) {
  return std::visit([](const auto& type) { return describe<std::remove_cvref_t<decltype(type)>>.name; },
                    work);
}

}  // namespace ktstr::engine::guest
