#include "lua/commands/cancellation.h"

#include <sys/eventfd.h>

#include "engine/base/io.h"
#include "engine/base/thread.h"

namespace ktstr::lua {

Result<std::unique_ptr<Cancellation>> Cancellation::on_interrupt() {
  auto interrupt = KTSTR_TRY(engine::Interrupt::install());
  Fd end(eventfd(0, EFD_CLOEXEC));
  if (!end) return system_error("eventfd");
  std::unique_ptr<Cancellation> made(new Cancellation(std::move(interrupt), std::move(end)));
  made->waiter_ = KTSTR_TRY(
      with_threads("Ctrl-C", [self = made.get()] { return std::thread([self] { self->wait(); }); }));
  return made;
}

Cancellation::~Cancellation() {
  eventfd_write(end_.get(), 1);
  if (waiter_.joinable()) waiter_.join();
}

void Cancellation::wait() {
  pollfd sources[] = {{interrupt_->stop_fd(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
  static_cast<void>(poll_until(sources, Deadline::max()));
  if (sources[0].revents != 0) source_.request_stop();
}

}  // namespace ktstr::lua
