// scx_ktstr: loads the scheduler and keeps it until it is told to go or the kernel removes it.
#include <sys/signalfd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "bpf/scx_ktstr/exit_record.h"
#include "bpf/scx_ktstr/options.h"
#include "bpf/scx_ktstr/scheduler.h"
#include "engine/base/io.h"

namespace ktstr::bpf {
namespace {

constexpr int kForever = -1;
constexpr int kNoOther = -1;
constexpr int kExitTimeoutMs = 10'000;  ///< for the record of an exit that has been asked for

int fail(const Error& error) {
  std::fprintf(stderr, "scx_ktstr: %s\n", error.message.c_str());
  return kNotLoaded;
}

/// SIGTERM and SIGINT come through the descriptor from now on.
Result<Fd> catch_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
  if (!fd) return system_error("signalfd");
  return fd;
}

/// Whether a signal came within `timeout_ms`, before `other` became readable.
bool wait_signal(const Fd& signals, int other, int timeout_ms) {
  pollfd events[] = {{signals.get(), POLLIN, 0}, {other, POLLIN, 0}};
  retry([&] { return ::poll(events, 2, timeout_ms); });
  return events[0].revents != 0;
}

/// The end of an attached scheduler, as exit status. An attachment that a callback refused ends at once.
Result<int> wait_end(Scheduler& scheduler, ExitReader& exits, const Fd& signals, const std::string& name) {
  if (!exits.read(0)) {
    std::printf("scx_ktstr: attached as %s\n", name.c_str());
    if (wait_signal(signals, exits.fd(), kForever)) scheduler.detach();
  }
  const auto exit = exits.read(kExitTimeoutMs);
  if (!exit) return Error{ErrorCode::kTimeout, "the kernel did not tell how the scheduler ended"};
  std::printf("scx_ktstr: %s\n", to_string(*exit).c_str());
  return static_cast<int>(is_error(exit->kind) ? kKickedOut : kDetached);
}

Result<int> run(const Options& options) {
  const Fd signals = KTSTR_TRY(catch_signals());
  Scheduler scheduler = KTSTR_TRY(Scheduler::load(options));
  ExitReader exits = KTSTR_TRY(ExitReader::open(scheduler.exits_map()));
  if (options.slow_load_ms != 0 && wait_signal(signals, kNoOther, static_cast<int>(options.slow_load_ms)))
    return static_cast<int>(kDetached);
  KTSTR_TRY(scheduler.attach());
  return wait_end(scheduler, exits, signals, options.ops_name);
}

int main_of(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const ParsedOptions parsed = parse_options(argc, argv);
  if (parsed.exit_status >= 0) return parsed.exit_status;
  const auto status = run(parsed.options);
  return status ? *status : fail(status.error());
}

}  // namespace
}  // namespace ktstr::bpf

int main(int argc, char** argv) {
  return ktstr::bpf::main_of(argc, argv);
}
