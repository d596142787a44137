// mutex_contention: a group that fights for one mutex. Work unit: a loop turn. Iteration: once through the
// mutex and the work outside it. The wake latency of a worker that slept for the mutex runs from the last
// unlock to having it.
#include "engine/guest/clock.h"
#include "engine/guest/works/futex.h"
#include "engine/guest/works/works.h"

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
  context.recorder.begin_wait();
  while (memory.word.exchange(kTakenWithWaiters, std::memory_order_acquire) != kFree) {
    if (stopping()) {
      context.recorder.end_wait();
      return false;
    }
    futex_wait(memory.word, kTakenWithWaiters);
  }
  context.recorder.woke(memory.posted_ns.load(std::memory_order_acquire));
  return true;
}

void unlock(GroupMemory& memory) {
  memory.posted_ns.store(monotonic_ns(), std::memory_order_release);
  if (memory.word.exchange(kFree, std::memory_order_release) == kTakenWithWaiters) futex_wake(memory.word, 1);
}

}  // namespace

Status run(const MutexContention& work, WorkContext context) {
  while (!stopping() && lock(context)) {
    spin(work.hold);
    unlock(context.group.memory());
    spin(work.work);
    context.recorder.iteration(units_of(std::uint64_t{work.hold} + work.work));
  }
  return ok();
}

}  // namespace ktstr::engine::guest
