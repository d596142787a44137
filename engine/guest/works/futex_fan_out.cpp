// futex_fan_out: one messenger (member 0) and n receivers on one futex. The messenger spins, then wakes them
// all; it does not wait for them, so a slow receiver takes several rounds for one. Work unit: a loop turn of
// the messenger, a wake-up of a receiver. Iteration: a round. A receiver's wake latency runs from the last
// post to being awake.
#include "engine/guest/works/futex.h"

namespace ktstr::engine::guest {
namespace {

void wake_receivers(const FutexFanOut& work, WorkContext& context) {
  auto& memory = context.group.memory();
  while (!stopping()) {
    spin(work.iterations);
    note_post(context);
    memory.word.fetch_add(1, std::memory_order_release);
    futex_wake(memory.word);
    context.recorder.iteration(units_of(work.iterations));
  }
}

void receive(WorkContext& context) {
  auto& memory = context.group.memory();
  auto seen = memory.word.load(std::memory_order_acquire);
  while (!stopping()) {
    context.recorder.begin_wait();
    while (!stopping() && memory.word.load(std::memory_order_acquire) == seen) futex_wait(memory.word, seen);
    const auto round = memory.word.load(std::memory_order_acquire);
    if (round == seen) return context.recorder.end_wait();
    seen = round;
    context.recorder.woke(memory.posted_ns.load(std::memory_order_acquire));
    context.recorder.iteration(1);
  }
}

}  // namespace

Status run(const FutexFanOut& work, WorkContext context) {
  if (context.member == 0)
    wake_receivers(work, context);
  else
    receive(context);
  return ok();
}

}  // namespace ktstr::engine::guest
