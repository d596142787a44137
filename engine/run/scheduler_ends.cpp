#include "engine/run/scheduler_ends.h"

#include <sys/eventfd.h>

#include <cstdint>
#include <utility>

namespace ktstr::engine {

SchedulerEnds::SchedulerEnds() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void SchedulerEnds::add(Duration moment) {
  const std::lock_guard lock(mutex_);
  if (!first_) first_ = moment;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

std::optional<Duration> SchedulerEnds::take() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(event_.get(), &count, sizeof count);
  return std::exchange(first_, std::nullopt);
}

}  // namespace ktstr::engine
