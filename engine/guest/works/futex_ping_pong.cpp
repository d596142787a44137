// futex_ping_pong: pairs that spin, then wake each other through a futex. Work unit: a loop turn. Iteration:
// a spin and its wake-up of the partner. Its wake latency runs from the partner's post to being awake.
#include "engine/guest/clock.h"
#include "engine/guest/works/futex.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {
namespace {

/// The word holds the member whose turn it is. False when asked to stop.
bool wait_for_turn(WorkContext& context, std::uint32_t member) {
  auto& memory = context.group.memory();
  if (memory.word.load(std::memory_order_acquire) == member) return !stopping();
  context.recorder.begin_wait();
  while (memory.word.load(std::memory_order_acquire) != member) {
    if (stopping()) {
      context.recorder.end_wait();
      return false;
    }
    futex_wait(memory.word, 1 - member);
  }
  context.recorder.woke(memory.posted_ns.load(std::memory_order_acquire));
  return !stopping();
}

}  // namespace

Status run(const FutexPingPong& work, WorkContext context) {
  auto& memory = context.group.memory();
  const auto member = static_cast<std::uint32_t>(context.member);
  while (wait_for_turn(context, member)) {
    spin(work.iterations);
    memory.posted_ns.store(monotonic_ns(), std::memory_order_release);
    memory.word.store(1 - member, std::memory_order_release);
    futex_wake(memory.word);
    context.recorder.iteration(units_of(work.iterations));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
