// pipe_io: pairs that spin, then pass a byte over a pipe to each other. Work unit: a loop turn. Iteration: a
// spin and its hand-over. Its wake latency runs from the partner's hand-over to having the byte.
#include "engine/guest/works/pipe_exchange.h"

namespace ktstr::engine::guest {

Status run(const PipeIo& work, WorkContext context) {
  work_in_turns(context, [&] {
    spin(work.iterations);
    return units_of(work.iterations);
  });
  return ok();
}

}  // namespace ktstr::engine::guest
