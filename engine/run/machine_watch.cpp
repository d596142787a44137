#include "engine/run/machine_watch.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "engine/base/io.h"
#include "engine/base/thread.h"

namespace ktstr::engine {
namespace {

Status add_to(const Fd& epoll, int fd) {
  epoll_event interest{.events = EPOLLIN, .data = {}};
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &interest) != 0) return system_error("epoll_ctl");
  return ok();
}

}  // namespace

bool is_stop_requested(int stop_fd) {
  return is_readable(stop_fd);
}

MachineWatch::MachineWatch(vmm::Machine& machine, int stop_fd) : machine_(machine), stop_fd_(stop_fd) {}

MachineWatch::~MachineWatch() = default;

Result<std::unique_ptr<MachineWatch>> MachineWatch::start(vmm::Machine& machine, int stop_fd) {
  std::unique_ptr<MachineWatch> watch(new MachineWatch(machine, stop_fd));
  KTSTR_TRY(watch->open());
  auto* self = watch.get();
  self->thread_ = KTSTR_TRY(with_threads("the machine's end", [self] {
    return std::jthread([self](const std::stop_token& stop) { self->run(stop); });
  }));
  return watch;
}

Status MachineWatch::open() {
  ended_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!ended_ || !epoll_) return system_error("watch the machine");
  KTSTR_TRY(add_to(epoll_, ended_.get()));
  return stop_fd_ < 0 ? ok() : add_to(epoll_, stop_fd_);
}

void MachineWatch::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    auto event = machine_.wait_event(kSlice);
    if (!event && event.error().code == ErrorCode::kTimeout) continue;
    const std::lock_guard lock(mutex_);
    event_ = event ? *event : vmm::MachineEvent(vmm::MachineFailed{event.error()});
    ::eventfd_write(ended_.get(), 1);
    return;
  }
}

std::optional<vmm::MachineEvent> MachineWatch::event() const {
  const std::lock_guard lock(mutex_);
  return event_;
}

bool MachineWatch::wait(Duration timeout) const {
  return is_readable(epoll_.get(), deadline_after(timeout));
}

std::optional<vmm::MachineEvent> MachineWatch::wait_event(Duration timeout) const {
  static_cast<void>(is_readable(ended_.get(), deadline_after(timeout)));
  return event();
}

}  // namespace ktstr::engine
