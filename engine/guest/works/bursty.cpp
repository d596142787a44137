// bursty: burns CPU for a burst, then sleeps. Work unit: a thousand loop turns. Iteration: a burst and its
// pause, or the part of it before the stop. Its wake latency is that of the sleep.
#include "engine/guest/clock.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const Bursty& work, WorkContext context) {
  while (!stopping()) {
    spin_until(context.recorder, monotonic_ns() + static_cast<std::uint64_t>(work.burst.ns));
    sleep_until(context.recorder, monotonic_ns() + static_cast<std::uint64_t>(work.sleep.ns));
    context.recorder.iteration(0);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
