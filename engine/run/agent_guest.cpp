#include "engine/run/agent_guest.h"

#include <poll.h>

#include <algorithm>

namespace ktstr::engine {
namespace {

/// One request to the call of AgentClient that carries it out, and its answer back to a Reply.
struct Dispatch {
  AgentClient& agent;

  using Answer = Result<protocol::Reply>;

  static Answer done(Status status) {
    if (!status) return std::move(status.error());
    return protocol::Reply(protocol::Done{});
  }
  Answer operator()(const protocol::AddCgroup& request) const { return done(agent.add_cgroup(request)); }
  Answer operator()(const protocol::RemoveCgroup& request) const {
    return protocol::Reply(protocol::Stopped{KTSTR_TRY(agent.remove_cgroup(request.cgroup))});
  }
  Answer operator()(const protocol::SetCpuset& request) const {
    return done(agent.set_cpuset(request.cgroup, request.cpus));
  }
  Answer operator()(const protocol::SpawnWorkers& request) const {
    return protocol::Reply(protocol::Spawned{KTSTR_TRY(agent.spawn(request))});
  }
  Answer operator()(const protocol::StopWorkers& request) const {
    return protocol::Reply(protocol::Stopped{KTSTR_TRY(agent.stop(request.cgroup))});
  }
  Answer operator()(const protocol::SetAffinity& request) const {
    return done(agent.set_affinity(request.cgroup, request.affinities));
  }
  Answer operator()(const protocol::MoveTasks& request) const {
    return done(agent.move_tasks(request.from, request.to));
  }
  Answer operator()(const protocol::FreezeCgroup& request) const {
    return done(agent.freeze(request.cgroup, request.frozen));
  }
  Answer operator()(const protocol::ReadFile& request) const {
    return protocol::Reply(KTSTR_TRY(agent.read_file(request.path, request.limit)));
  }
  Answer operator()(const protocol::AttachScheduler& request) const {
    return protocol::Reply(KTSTR_TRY(agent.attach_scheduler(request)));
  }
  Answer operator()(const protocol::DetachScheduler& request) const {
    return protocol::Reply(KTSTR_TRY(agent.detach_scheduler(request)));
  }
  Answer operator()(const protocol::ReplaceScheduler& request) const {
    return protocol::Reply(KTSTR_TRY(agent.replace_scheduler(request.next)));
  }
  Answer operator()(const protocol::RestartScheduler&) const {
    return protocol::Reply(KTSTR_TRY(agent.restart_scheduler()));
  }
  Answer operator()(const protocol::QueryScheduler& request) const {
    return protocol::Reply(KTSTR_TRY(agent.query_scheduler(request)));
  }
  Answer operator()(const protocol::PinBpfMap& request) const { return done(agent.pin_bpf_map(request.id)); }
  Answer operator()(const protocol::Refresh& request) const { return done(agent.refresh(request)); }
  Answer operator()(const protocol::SetStatistics& request) const {
    return protocol::Reply(KTSTR_TRY(agent.set_statistics(request.on)));
  }
  Answer operator()(const protocol::CaptureThreads&) const {
    return protocol::Reply(KTSTR_TRY(agent.capture_threads()));
  }
  Answer operator()(const protocol::ReadCapture& request) const {
    return protocol::Reply(KTSTR_TRY(agent.read_capture(request.offset)));
  }
  Answer operator()(const protocol::Shutdown&) const { return done(agent.shutdown()); }
};

timespec to_timespec(Duration duration) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {duration.ns / kSecond, duration.ns % kSecond};
}

}  // namespace

Result<protocol::Reply> AgentGuest::ask(const protocol::Request& request) {
  return std::visit(Dispatch{agent_}, request);
}

Result<WaitEnd> AgentGuest::wait_until(Duration moment) {
  pollfd fds[] = {{watch_.fd(), POLLIN, 0}, {ends_.fd(), POLLIN, 0}};
  while (true) {
    const auto left = to_timespec(Duration(std::max<std::int64_t>(0, moment.ns - now().ns)));
    const int ready = ::ppoll(fds, std::size(fds), &left, nullptr);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return system_error("wait for the end of the hold");
    if (fds[0].revents) return Error{ErrorCode::kCancelled, "the hold was broken off"};
    return fds[1].revents ? WaitEnd::kSchedulerEnd : WaitEnd::kMoment;
  }
}

}  // namespace ktstr::engine
