#include "engine/run/agent_guest.h"

#include <poll.h>

#include <algorithm>

namespace ktstr::engine {
namespace {

timespec to_timespec(Duration duration) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  return {duration.ns / kSecond, duration.ns % kSecond};
}

}  // namespace

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
