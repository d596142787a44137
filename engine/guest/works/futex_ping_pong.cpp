// futex_ping_pong: pairs that spin, then wake each other through a futex. Work unit: a loop turn. Iteration:
// a spin and its wake-up of the partner. Its wake latency runs from the partner's post to being awake.
#include "engine/guest/works/futex.h"

namespace ktstr::engine::guest {
namespace {

/// The word holds the member whose turn it is. False when asked to stop.
bool wait_until_mine(WorkContext& context, std::uint32_t member) {
  const auto is_mine = [&] { return context.group.memory().word.load(std::memory_order_acquire) == member; };
  return (is_mine() || wait_for_post(context, 1 - member, is_mine)) && !stopping();
}

}  // namespace

Status run(const FutexPingPong& work, WorkContext context) {
  auto& memory = context.group.memory();
  const auto member = static_cast<std::uint32_t>(context.member);
  while (wait_until_mine(context, member)) {
    spin(work.iterations);
    note_post(context);
    memory.word.store(1 - member, std::memory_order_release);
    futex_wake(memory.word);
    context.recorder.iteration(units_of(work.iterations));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
