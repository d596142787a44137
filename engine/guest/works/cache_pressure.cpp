// cache_pressure: strides over a buffer. Work unit: a touch. Iteration: a pass over the buffer.
#include "engine/guest/works/touch.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const CachePressure& work, WorkContext context) {
  StridedBuffer buffer(work.size, work.stride);
  const auto touches = buffer.touches_per_pass();
  while (!stopping()) {
    buffer.touch(touches);
    context.recorder.iteration(touches);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
