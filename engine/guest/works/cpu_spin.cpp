// cpu_spin: burns CPU without a pause. Work unit: a loop turn. Iteration: a look at the stop flag.
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const CpuSpin& work, WorkContext context) {
  while (!stopping()) {
    spin(work.iterations);
    context.recorder.iteration(work.iterations);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
