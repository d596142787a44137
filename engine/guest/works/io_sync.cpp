// io_sync: writes to a file of its own, synchronously, then sleeps. Work unit and iteration: a write and its
// pause. Its wake latency is that of the sleep.
#include "engine/guest/works/works.h"

#include <vector>

#include "engine/guest/clock.h"
#include "engine/guest/works/scratch_file.h"

namespace ktstr::engine::guest {

Status run(const IoSync& work, WorkContext context) {
  const Fd file = KTSTR_TRY(open_scratch_file());
  const std::vector<char> data(work.write_size.bytes, 'k');
  while (!stopping()) {
    KTSTR_TRY(write_at_start(file.get(), data));
    sleep_until(context.recorder, monotonic_ns() + static_cast<std::uint64_t>(work.sleep.ns));
    context.recorder.iteration(1);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
