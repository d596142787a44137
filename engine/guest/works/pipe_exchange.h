// One byte that goes back and forth between the two of a pair, for the types that work in turns.
#pragma once

#include <unistd.h>

#include "engine/guest/clock.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

/// How a wait for the byte or its passing on ended.
enum class Turn {
  kMine,     ///< the byte is here, or has been passed on
  kStopped,  ///< this worker is asked to stop
  kNobody,   ///< the partner has ended
};

/// Passes the byte to the partner.
[[nodiscard]] inline Turn pass_on(WorkContext& context) {
  context.group.memory().posted_ns.store(monotonic_ns(), std::memory_order_release);
  const char byte = 't';
  while (!stopping()) {
    if (::write(context.group.write_end(context.member), &byte, 1) == 1) return Turn::kMine;
    if (errno != EINTR) return Turn::kNobody;
  }
  return Turn::kStopped;
}

/// Waits for the byte and records the wake latency since the partner passed it on.
[[nodiscard]] inline Turn wait_for_turn(WorkContext& context) {
  context.recorder.begin_wait();
  auto turn = Turn::kStopped;
  while (!stopping()) {
    char byte;
    const auto got = ::read(context.group.read_end(context.member), &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    turn = got == 1 ? Turn::kMine : Turn::kNobody;
    break;
  }
  if (turn == Turn::kMine)
    context.recorder.woke(context.group.memory().posted_ns.load(std::memory_order_acquire));
  else
    context.recorder.end_wait();
  return turn;
}

/// Runs `work`, which records nothing but work units, whenever this worker has the byte. Member 0 begins.
/// Returns when asked to stop; a worker whose partner has ended sleeps until then.
template <class Work>
void work_in_turns(WorkContext& context, Work work) {
  auto turn = context.member == 0 ? Turn::kMine : wait_for_turn(context);
  while (turn == Turn::kMine && !stopping()) {
    context.recorder.iteration(work());
    turn = pass_on(context);
    if (turn == Turn::kMine) turn = wait_for_turn(context);
  }
  if (turn == Turn::kNobody) wait_for_stop(context.recorder);
}

}  // namespace ktstr::engine::guest
