#include "engine/guest/works/pipe_exchange.h"

#include <unistd.h>

#include "engine/guest/clock.h"

namespace ktstr::engine::guest {

Turn pass_on(WorkContext& context) {
  context.group.memory().posted_ns.store(monotonic_ns(), std::memory_order_release);
  const char byte = 't';
  while (!stopping()) {
    if (::write(context.group.write_end(context.member), &byte, 1) == 1) return Turn::kMine;
    if (errno != EINTR) return Turn::kNobody;
  }
  return Turn::kStopped;
}

Turn wait_for_turn(WorkContext& context) {
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

}  // namespace ktstr::engine::guest
