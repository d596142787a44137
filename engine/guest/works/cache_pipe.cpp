// cache_pipe: pairs that stride over a buffer of their own, then pass a byte over a pipe. Work unit: a touch.
// Iteration: the touches before a hand-over. Its wake latency runs from the partner's hand-over to having the
// byte.
#include "engine/guest/works/pipe_exchange.h"
#include "engine/guest/works/touch.h"

namespace ktstr::engine::guest {
namespace {

constexpr std::uint32_t kCacheLine = 64;

}  // namespace

Status run(const CachePipe& work, WorkContext context) {
  StridedBuffer buffer(work.size, kCacheLine);
  work_in_turns(context, [&] {
    buffer.touch(work.iterations);
    return units_of(work.iterations);
  });
  return ok();
}

}  // namespace ktstr::engine::guest
