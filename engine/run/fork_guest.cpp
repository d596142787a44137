#include "engine/run/fork_guest.h"

#include <sys/random.h>
#include <time.h>

#include <utility>

#include "engine/agent/agent_client.h"

namespace ktstr::engine {
namespace {

/// An ending machine closes its channel a moment before its event is there.
constexpr Duration kEventGrace = std::chrono::seconds(1);
constexpr std::size_t kConsoleLines = 3;

/// getrandom(2) gives so few bytes at once and whole.
Result<protocol::Refresh> make_refresh() {
  protocol::Refresh refresh{.entropy = std::vector<std::uint8_t>(protocol::kMaxEntropyBytes)};
  if (::getrandom(refresh.entropy.data(), refresh.entropy.size(), 0) !=
      static_cast<ssize_t>(refresh.entropy.size()))
    return system_error("getrandom");
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  refresh.realtime_ns =
      static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
  return refresh;
}

/// The agent's loss may follow from the machine's end, which says more.
Error why_no_answer(Error error, const ForkedGuest& guest) {
  if (guest.watch->stop_requested()) return error;
  const bool lost = error.code == ErrorCode::kCancelled || error.code == ErrorCode::kGuestFailed;
  const auto event = lost ? guest.watch->wait_event(kEventGrace) : guest.watch->event();
  if (!event) return error;
  if (const auto* panicked = std::get_if<vmm::GuestPanicked>(&*event))
    return {ErrorCode::kGuestFailed, "the guest's kernel panicked: " + panicked->console_line};
  if (const auto* failed = std::get_if<vmm::MachineFailed>(&*event)) return failed->error;
  return {ErrorCode::kGuestFailed,
          "the guest powered off or rebooted by itself: " + guest.machine->console_tail(kConsoleLines)};
}

}  // namespace

Result<ForkedGuest> fork_guest(const vmm::MachineSnapshot& snapshot, const std::filesystem::path& console_log,
                               int stop_fd, Duration timeout) {
  ForkedGuest guest;
  guest.machine = KTSTR_TRY(snapshot.fork(console_log));
  guest.watch = KTSTR_TRY(MachineWatch::start(*guest.machine, stop_fd));
  AgentClient agent(guest.machine->channel_fd(), guest.watch->fd(), timeout);
  auto refreshed = agent.ask(KTSTR_TRY(make_refresh()));
  if (!refreshed) return why_no_answer(std::move(refreshed.error()), guest);
  return guest;
}

}  // namespace ktstr::engine
