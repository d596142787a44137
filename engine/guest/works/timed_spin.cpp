#include "engine/guest/clock.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

void spin_until(Recorder& recorder, std::uint64_t end_ns) {
  constexpr std::uint32_t kTurns = 1000;
  while (!stopping() && recorder.last_progress_ns() < end_ns) {
    spin(kTurns);
    recorder.work(1);
  }
}

}  // namespace ktstr::engine::guest
