// nice_sweep: spins and walks through the nice values from lowest to highest, over and over. Values that it
// has no right to are passed over. Work unit: a loop turn. Iteration: the turns at one value.
#include <sys/resource.h>

#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {
namespace {

/// False when it has no right to the value.
Result<bool> set_nice(int nice) {
  if (::setpriority(PRIO_PROCESS, 0, nice) == 0) return true;
  if (errno == EACCES || errno == EPERM) return false;
  return system_error("setpriority");
}

}  // namespace

Status run(const NiceSweep& work, WorkContext context) {
  if (work.lowest > work.highest) return invalid_argument("nice_sweep: lowest is above highest");
  while (true) {
    bool any = false;
    for (auto nice = work.lowest; nice <= work.highest; ++nice) {
      if (stopping()) return ok();
      if (!KTSTR_TRY(set_nice(nice))) continue;
      any = true;
      spin(work.iterations);
      context.recorder.iteration(units_of(work.iterations));
    }
    if (!any) return Error{ErrorCode::kIo, "nice_sweep: no value between lowest and highest is allowed"};
  }
}

}  // namespace ktstr::engine::guest
