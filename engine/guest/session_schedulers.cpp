// Session's requests that concern the scheduler.
#include "engine/guest/session.h"

namespace ktstr::engine::guest {

using namespace protocol;

Result<Reply> Session::handle(const AttachScheduler& request) {
  return Reply(KTSTR_TRY(scheduler_.attach(request)));
}

Result<Reply> Session::handle(const DetachScheduler& request) {
  return Reply(KTSTR_TRY(scheduler_.detach(request.timeout)));
}

Result<Reply> Session::handle(const ReplaceScheduler& request) {
  return Reply(KTSTR_TRY(scheduler_.replace(request.next)));
}

Result<Reply> Session::handle(const RestartScheduler&) {
  return Reply(KTSTR_TRY(scheduler_.restart()));
}

Result<Reply> Session::handle(const QueryScheduler& request) {
  return Reply(scheduler_.query(request.patience));
}

}  // namespace ktstr::engine::guest
