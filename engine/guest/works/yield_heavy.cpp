// yield_heavy: calls sched_yield in a loop. Work unit and iteration: a yield.
#include "engine/guest/works/works.h"

#include <sched.h>

namespace ktstr::engine::guest {

Status run(const YieldHeavy&, WorkContext context) {
  while (!stopping()) {
    ::sched_yield();
    context.recorder.iteration(1);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
