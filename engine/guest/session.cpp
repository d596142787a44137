#include "engine/guest/session.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/utsname.h>

#include <csignal>

#include "engine/base/read.h"
#include "engine/base/write.h"
#include "engine/guest/clock.h"

namespace ktstr::engine::guest {
namespace {

using namespace protocol;

/// How long the rest of a frame may take once its first byte is here, and how long the runner may leave an
/// answer unread.
constexpr Duration kFrameTimeout = std::chrono::seconds(30);

Result<Fd> watch_signals(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : signals) ::sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return system_error("sigprocmask");
  Fd fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd) return system_error("signalfd");
  return fd;
}

}  // namespace

Session::Session(Fd channel, CgroupTree cgroups, std::uint64_t boot_ns)
    : channel_(std::move(channel)),
      cgroups_(std::move(cgroups)),
      workers_(cgroups_),
      boot_ns_(boot_ns),
      reader_(channel_.get()) {
  workers_.set_taker([this](pid_t pid) { return scheduler_.reap(pid); });
}

Status Session::run() {
  auto status = say_hello();
  if (status) status = serve();
  auto cleaned = clean_up();
  return status ? std::move(cleaned) : std::move(status);
}

Status Session::say_hello() {
  utsname kernel{};
  if (::uname(&kernel) < 0) return system_error("uname");
  const auto cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (cpus < 1) return system_error("count CPUs");
  return send(0, Hello{kVersion, kernel.release, static_cast<std::uint32_t>(cpus), monotonic_ns(), boot_ns_});
}

Status Session::serve() {
  const auto signals = KTSTR_TRY(watch_signals({SIGCHLD, SIGTERM}));
  while (!done_) {
    const auto [output, calls] = scheduler_.fds();
    pollfd fds[] = {
        {channel_.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}, {output, POLLIN, 0}, {calls, POLLIN, 0}};
    if (poll_until(fds, Deadline::max()) < 0) return system_error("poll");
    signalfd_siginfo signal{};
    while (::read(signals.get(), &signal, sizeof signal) == sizeof signal)
      if (signal.ssi_signo != SIGCHLD) done_ = true;
    workers_.reap();
    scheduler_.take_in();
    if (!fds[0].revents || done_) continue;
    const auto payload = reader_.next(kFrameTimeout);
    if (!payload && payload.error().code == ErrorCode::kGuestFailed) return ok();  // the runner is gone
    if (!payload) {
      (void)send(0, Failed{payload.error().code, payload.error().message});
      return Error(payload.error());
    }
    KTSTR_TRY(answer(*payload));
  }
  return ok();
}

template <class Request>
Reply Session::carry_out(Request& request) {
  Answered<Request> answer = handle(request);
  if (!answer) return Failed{answer.error().code, answer.error().message};
  if constexpr (std::same_as<decltype(answer), Status>)
    return Done{};
  else
    return std::move(*answer);
}

Status Session::answer(const std::string& payload) {
  auto message = from_json<RequestMessage>(payload, kPayloadLimits);
  if (!message) return send(0, Failed{message.error().code, "request: " + message.error().message});
  return send(message->id,
              std::visit([this](auto& request) { return carry_out(request); }, message->request));
}

Status Session::send(std::uint64_t id, Reply reply) {
  auto payload = to_json(ReplyMessage{id, std::move(reply)});
  if (payload.size() > kMaxPayload) {
    const auto size = std::to_string(payload.size());
    payload = to_json(ReplyMessage{
        id, Failed{ErrorCode::kOutOfRange, "the answer has " + size + " bytes, too many for a frame"}});
  }
  return send_frame(channel_.get(), payload, kFrameTimeout);
}

Status Session::handle(const Shutdown&) {
  done_ = true;
  return clean_up();
}

}  // namespace ktstr::engine::guest
