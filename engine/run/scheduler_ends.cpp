#include "engine/run/scheduler_ends.h"

#include <sys/eventfd.h>

#include <utility>

namespace ktstr::engine {

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

}  // namespace ktstr::engine
