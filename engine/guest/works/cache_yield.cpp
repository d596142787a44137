// cache_yield: strides over a buffer, then yields. Work unit: a touch. Iteration: a pass over the buffer and
// a yield.
#include <sched.h>

#include "engine/guest/works/touch.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const CacheYield& work, WorkContext context) {
  StridedBuffer buffer(work.size, work.stride);
  const auto touches = buffer.touches_per_pass();
  while (!stopping()) {
    buffer.touch(touches);
    ::sched_yield();
    context.recorder.iteration(touches);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
