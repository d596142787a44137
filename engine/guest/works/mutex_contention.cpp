// mutex_contention: a group that fights for one mutex. Work unit: a loop turn. Iteration: once through the
// mutex and the work outside it. The wake latency of a worker that slept for the mutex runs from the last
// unlock to having it.
#include "engine/guest/works/futex.h"

namespace ktstr::engine::guest {
namespace {

// Ulrich Drepper, "Futexes Are Tricky", the second mutex.
constexpr std::uint32_t kFree = 0;
constexpr std::uint32_t kTaken = 1;
constexpr std::uint32_t kTakenWithWaiters = 2;

/// False when asked to stop: the mutex is not taken then. Its holder may have been killed.
bool lock(WorkContext& context) {
  auto& memory = context.group.memory();
  auto found = kFree;
  if (memory.word.compare_exchange_strong(found, kTaken, std::memory_order_acquire)) return true;
  return wait_for_post(context, kTakenWithWaiters, [&] {
    return memory.word.exchange(kTakenWithWaiters, std::memory_order_acquire) == kFree;
  });
}

void unlock(WorkContext& context) {
  auto& memory = context.group.memory();
  note_post(context);
  if (memory.word.exchange(kFree, std::memory_order_release) == kTakenWithWaiters) futex_wake(memory.word, 1);
}

}  // namespace

Status run(const MutexContention& work, WorkContext context) {
  while (!stopping() && lock(context)) {
    spin(work.hold);
    unlock(context);
    spin(work.work);
    context.recorder.iteration(units_of(std::uint64_t{work.hold} + work.work));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
