#include "engine/run/agent_guest.h"

#include "engine/base/io.h"

namespace ktstr::engine {
Result<WaitEnd> AgentGuest::wait_until(Duration moment) {
  pollfd fds[] = {{watch_.fd(), POLLIN, 0}, {ends_.fd(), POLLIN, 0}};
  if (poll_until(fds, deadline_after(Duration(moment.ns - now().ns))) < 0)
    return system_error("wait for the end of the hold");
  if (fds[0].revents) return Error{ErrorCode::kCancelled, "the hold was broken off"};
  return fds[1].revents ? WaitEnd::kSchedulerEnd : WaitEnd::kMoment;
}

}  // namespace ktstr::engine
