// Session's requests that concern the scheduler.
#include "engine/guest/session.h"

namespace ktstr::engine::guest {

using namespace protocol;

Result<SchedulerChanged> Session::handle(const AttachScheduler& request) {
  return scheduler_.attach(request);
}

Result<SchedulerChanged> Session::handle(const DetachScheduler& request) {
  return scheduler_.detach(request.timeout);
}

Result<SchedulerChanged> Session::handle(const ReplaceScheduler& request) {
  return scheduler_.replace(request.next);
}

Result<SchedulerChanged> Session::handle(const RestartScheduler&) {
  return scheduler_.restart();
}

Result<SchedulerChanged> Session::handle(const QueryScheduler& request) {
  return scheduler_.query(request.patience);
}

}  // namespace ktstr::engine::guest
