// timer_latency: sleeps until a moment, then until the next, whatever it came late by; moments that have
// passed by then are left out. Work unit and iteration: a moment that it slept for. Its wake latency is how
// late it came.
#include "engine/guest/clock.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const TimerLatency& work, WorkContext context) {
  const auto interval = static_cast<std::uint64_t>(work.interval.ns);
  for (auto due = monotonic_ns() + interval; !stopping(); due += interval) {
    sleep_until(context.recorder, due);
    context.recorder.iteration(1);
    if (const auto now = monotonic_ns(); now > due) due += (now - due) / interval * interval;
  }
  return ok();
}

}  // namespace ktstr::engine::guest
