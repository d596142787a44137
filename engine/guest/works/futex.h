// futex(2) on memory that several processes share, and waits by it for what another worker posts.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

#include "engine/guest/clock.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

/// Sleeps while `word` is `value`. Returns at a wake-up, a signal, or at once when the word differs: look
/// again.
inline void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, nullptr, nullptr, 0);
}

inline void futex_wake(std::atomic<std::uint32_t>& word, int waiters = INT_MAX) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, waiters, nullptr, nullptr, 0);
}

/// Notes the time from which the wake latency of whoever waits runs.
inline void note_post(WorkContext& context) {
  context.group.memory().posted_ns.store(monotonic_ns(), std::memory_order_release);
}

/// Sleeps, as long as the group's word is `asleep`, until `is_due`, and records the wake latency since the
/// last post. False when asked to stop before that.
template <class Condition>
[[nodiscard]] bool wait_for_post(WorkContext& context, std::uint32_t asleep, Condition is_due) {
  auto& memory = context.group.memory();
  context.recorder.begin_wait();
  while (!is_due()) {
    if (stopping()) {
      context.recorder.end_wait();
      return false;
    }
    futex_wait(memory.word, asleep);
  }
  context.recorder.woke(memory.posted_ns.load(std::memory_order_acquire));
  return true;
}

}  // namespace ktstr::engine::guest
