#include "engine/guest/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <string>

#include "engine/guest/clock.h"
#include "vmm/channel_device.h"

namespace ktstr::engine::guest {
namespace {

/// Drivers make their device nodes when they are done probing, mostly before the agent runs; devtmpfs tells
/// nobody.
constexpr timespec kPollStep{0, 1'000'000};

Status make_ready(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    return system_error("prepare the channel");
  termios settings{};
  if (::tcgetattr(fd, &settings) < 0) return ok();  // no tty: nothing stands between us and the bytes
  ::cfmakeraw(&settings);
  settings.c_cflag |= CLOCAL;
  if (::tcsetattr(fd, TCSANOW, &settings) < 0) return system_error("make the channel raw");
  return ok();
}

/// A virtio port says hang-up until the runner's end is connected.
bool is_connected(int fd) {
  pollfd state{fd, POLLOUT, 0};
  return ::poll(&state, 1, 0) == 1 && !(state.revents & (POLLHUP | POLLERR));
}

/// The first device that is there; none while none is. Errors: a device that can't be opened.
Result<Fd> try_devices() {
  for (const auto device : vmm::kChannelDevices) {
    const std::string path(device);
    Fd channel(::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (channel) return channel;
    if (errno != ENOENT && errno != ENODEV && errno != ENXIO) return system_error("open " + path);
  }
  return Fd();
}

}  // namespace

Result<Fd> open_channel_device(Duration deadline) {
  const auto give_up = monotonic_ns() + static_cast<std::uint64_t>(deadline.ns);
  Fd channel;
  while (true) {
    if (!channel) channel = KTSTR_TRY(try_devices());
    if (channel && is_connected(channel.get())) break;
    if (monotonic_ns() > give_up)
      return Error{
          ErrorCode::kTimeout,
          channel ? "no runner at the other end of the channel"
                  : "no channel device appeared: the kernel needs VIRTIO_PCI and VIRTIO_CONSOLE built in"};
    ::nanosleep(&kPollStep, nullptr);
  }
  KTSTR_TRY(make_ready(channel.get()));
  return channel;
}

Result<Fd> adopt_channel(int fd) {
  if (::fcntl(fd, F_GETFD) < 0)
    return invalid_argument("--channel-fd " + std::to_string(fd) + " is not an open file descriptor");
  KTSTR_TRY(make_ready(fd));
  return Fd(fd);
}

void drain_channel(int fd) {
  ::tcdrain(fd);
}

}  // namespace ktstr::engine::guest
