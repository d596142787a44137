// mixed: spins, then yields. Work unit: a loop turn. Iteration: a spin and a yield.
#include "engine/guest/works/works.h"

#include <sched.h>

namespace ktstr::engine::guest {

Status run(const Mixed& work, WorkContext context) {
  while (!stopping()) {
    spin(work.iterations);
    ::sched_yield();
    context.recorder.iteration(units_of(work.iterations));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
