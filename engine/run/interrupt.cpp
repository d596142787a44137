#include "engine/run/interrupt.h"

#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <csignal>

#include "engine/base/check.h"
#include "engine/base/io.h"
#include "engine/base/thread.h"

namespace ktstr::engine {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM};

std::atomic<int> g_event_fd{-1};
std::array<struct sigaction, kSignals.size()> g_former{};

/// Async-signal-safe: one write(2) to the eventfd. SA_RESETHAND leaves the next signal to the default action.
void on_signal(int) {
  const int saved_errno = errno;
  ::eventfd_write(g_event_fd.load(std::memory_order_relaxed), 1);
  errno = saved_errno;
}

}  // namespace

Interrupt::Interrupt(Fd event) : event_(std::move(event)) {}

Result<std::unique_ptr<Interrupt>> Interrupt::install() {
  KTSTR_CHECK(g_event_fd.load() < 0);
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error("eventfd");
  g_event_fd = event.get();
  std::unique_ptr<Interrupt> interrupt(new Interrupt(std::move(event)));
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESTART | SA_RESETHAND);
  for (std::size_t i = 0; i < kSignals.size(); ++i)
    if (::sigaction(kSignals[i], &action, &g_former[i]) != 0) return system_error("sigaction");
  return interrupt;
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &g_former[i], nullptr);
  g_event_fd = -1;
}

bool Interrupt::requested() const {
  return is_readable(event_.get());
}

Result<std::unique_ptr<Cancellation>> Cancellation::on_interrupt() {
  auto interrupt = KTSTR_TRY(Interrupt::install());
  Fd end(::eventfd(0, EFD_CLOEXEC));
  if (!end) return system_error("eventfd");
  std::unique_ptr<Cancellation> made(new Cancellation(std::move(interrupt), std::move(end)));
  made->waiter_ = KTSTR_TRY(
      with_threads("Ctrl-C", [self = made.get()] { return std::thread([self] { self->wait(); }); }));
  return made;
}

Cancellation::~Cancellation() {
  ::eventfd_write(end_.get(), 1);
  if (waiter_.joinable()) waiter_.join();
}

void Cancellation::wait() {
  pollfd sources[] = {{interrupt_->stop_fd(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
  static_cast<void>(poll_until(sources, Deadline::max()));
  if (sources[0].revents != 0) source_.request_stop();
}

}  // namespace ktstr::engine
