#include "vmm/kvm/devices/virtio_console.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>

namespace ktstr::vmm::kvm {

Result<std::unique_ptr<VirtioConsole>> VirtioConsole::start(VirtioPci& transport, Fd channel) {
  Fd wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake) return system_error("eventfd");
  auto filter = KTSTR_TRY(SyscallFilter::create(ConfinedThread::kDevice));
  return std::unique_ptr<VirtioConsole>(
      new VirtioConsole(transport, std::move(channel), std::move(wake), std::move(filter)));
}

VirtioConsole::VirtioConsole(VirtioPci& transport, Fd channel, Fd wake, SyscallFilter filter)
    : transport_(transport),
      filter_(std::move(filter)),
      channel_(std::move(channel)),
      wake_(std::move(wake)),
      ports_(transport, channel_.get()),
      thread_([this] { run(); }) {}

VirtioConsole::~VirtioConsole() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  wake();
  thread_.join();
}

void VirtioConsole::pause() {
  std::unique_lock lock(mutex_);
  pause_ = true;
  wake();
  changed_.wait(lock, [this] { return parked_ || !pause_; });
}

void VirtioConsole::resume() {
  const std::lock_guard lock(mutex_);
  pause_ = false;
  changed_.notify_all();
}

VirtioConsole::State VirtioConsole::state() const {
  const auto held = transport_.lock();
  return ports_.state();
}

void VirtioConsole::restore(const State& state) {
  const auto held = transport_.lock();
  ports_.restore(state);
  transport_.kick();
}

// Each event is taken before what it tells of is looked at: what comes in between is seen, or signals it
// again.
void VirtioConsole::run() {
  filter_.confine_this_thread();
  while (wait_until_wanted()) {
    eventfd_t ignored{};
    ::eventfd_read(transport_.kick_fd(), &ignored);
    ConsolePorts::Wants wants;
    {
      const auto held = transport_.lock();
      wants = ports_.process();
    }
    if (!wants.again) wait_for(wants);
  }
}

/// Gives false when the thread is to end.
bool VirtioConsole::wait_until_wanted() {
  eventfd_t ignored{};
  ::eventfd_read(wake_.get(), &ignored);
  std::unique_lock lock(mutex_);
  if (pause_ && !stop_) {
    parked_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !pause_ || stop_; });
    parked_ = false;
  }
  return !stop_;
}

// A socket that nothing is wanted of is left out: poll() would report its end again and again.
void VirtioConsole::wait_for(const ConsolePorts::Wants& wants) {
  const auto events = static_cast<short>((wants.readable ? POLLIN : 0) | (wants.writable ? POLLOUT : 0));
  std::array<pollfd, 3> fds{{{wake_.get(), POLLIN, 0},
                             {transport_.kick_fd(), POLLIN, 0},
                             {events != 0 ? channel_.get() : -1, events, 0}}};
  ::poll(fds.data(), fds.size(), -1);
}

void VirtioConsole::wake() const {
  ::eventfd_write(wake_.get(), 1);
}

}  // namespace ktstr::vmm::kvm
