#include "engine/run/agent_guest.h"

#include <sys/eventfd.h>

#include <utility>

#include "engine/base/io.h"

namespace ktstr::engine {
namespace {

bool ends_scheduler(const protocol::Request& request) {
  return std::holds_alternative<protocol::DetachScheduler>(request) ||
         std::holds_alternative<protocol::ReplaceScheduler>(request) ||
         std::holds_alternative<protocol::RestartScheduler>(request) ||
         std::holds_alternative<protocol::Shutdown>(request);
}

}  // namespace

SchedulerEnds::SchedulerEnds() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void SchedulerEnds::add(Duration moment) {
  const std::lock_guard lock(mutex_);
  if (!first_) first_ = moment;
  ::eventfd_write(event_.get(), 1);
}

std::optional<Duration> SchedulerEnds::take() {
  const std::lock_guard lock(mutex_);
  eventfd_t count = 0;
  ::eventfd_read(event_.get(), &count);
  return std::exchange(first_, std::nullopt);
}

Result<protocol::Reply> AgentGuest::exchange(protocol::Request request) {
  const auto expected = dumps_ && ends_scheduler(request) ? dumps_->expect_scheduler_end() : nullptr;
  return agent_.exchange(std::move(request));
}

Result<WaitEnd> AgentGuest::wait_until(Duration moment) {
  pollfd fds[] = {{watch_.fd(), POLLIN, 0}, {ends_.fd(), POLLIN, 0}};
  if (poll_until(fds, deadline_after(Duration(moment.ns - now().ns))) < 0)
    return system_error("wait for the end of the hold");
  if (fds[0].revents) return Error{ErrorCode::kCancelled, "the hold was broken off"};
  return fds[1].revents ? WaitEnd::kSchedulerEnd : WaitEnd::kMoment;
}

}  // namespace ktstr::engine
