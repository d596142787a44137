// fork_exit: forks a child that exits at once and waits for it. Work unit and iteration: a child. The wait is
// no pause: a child that the scheduler starves is a gap of the worker.
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/child.h"
#include "engine/guest/works/works.h"

namespace ktstr::engine::guest {

Status run(const ForkExit&, WorkContext context) {
  while (!stopping()) {
    const auto child = ::fork();
    if (child < 0) return system_error("fork");
    if (child == 0) ::_exit(0);
    if (reap(child) < 0) return system_error("wait for a child");
    context.recorder.iteration(1);
  }
  return ok();
}

}  // namespace ktstr::engine::guest
