// AgentGuest: a Guest that is a machine with an agent inside.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>

#include "engine/agent/agent_client.h"
#include "engine/base/fd.h"
#include "engine/base/units.h"
#include "engine/freeze/guest_dumps.h"
#include "engine/run/guest.h"
#include "engine/run/machine_watch.h"

namespace ktstr::engine {

/// Tells a run that a scheduler ended although nobody had asked it to. Safe from several threads.
class SchedulerEnds {
 public:
  SchedulerEnds();

  /// An end that was seen at `moment`, since the machine's start.
  void add(Duration moment);
  /// The first one since the last call.
  [[nodiscard]] std::optional<Duration> take();
  /// Readable while there is one that was not taken. -1: nothing can be waited for.
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  Fd event_;
  std::mutex mutex_;
  std::optional<Duration> first_;
};

/// While it is asked to end schedulers, they end without alarm.
class AgentGuest final : public Guest {
 public:
  using Clock = std::chrono::steady_clock;

  /// All must outlive it, of `dumps` the owner: what is owned may come and go between two requests. None:
  /// nobody watches schedulers. `epoch`: the machine's start.
  AgentGuest(AgentClient& agent, const MachineWatch& watch, const SchedulerEnds& ends,
             const std::unique_ptr<GuestDumps>& dumps, Clock::time_point epoch)
      : agent_(agent), watch_(watch), ends_(ends), dumps_(dumps), epoch_(epoch) {}

  [[nodiscard]] Duration now() const override { return Clock::now() - epoch_; }
  [[nodiscard]] Result<WaitEnd> wait_until(Duration moment) override;

 private:
  [[nodiscard]] Result<protocol::Reply> exchange(protocol::Request request) override;

  AgentClient& agent_;
  const MachineWatch& watch_;
  const SchedulerEnds& ends_;
  const std::unique_ptr<GuestDumps>& dumps_;
  Clock::time_point epoch_;
};

}  // namespace ktstr::engine
