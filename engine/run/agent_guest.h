// AgentGuest: a Guest that is a machine with an agent inside.
#pragma once

#include <chrono>

#include "engine/agent/agent_client.h"
#include "engine/run/guest.h"
#include "engine/run/machine_watch.h"
#include "engine/run/scheduler_ends.h"

namespace ktstr::engine {

class AgentGuest final : public Guest {
 public:
  using Clock = std::chrono::steady_clock;

  /// All must outlive it. `epoch`: the machine's start.
  AgentGuest(AgentClient& agent, const MachineWatch& watch, const SchedulerEnds& ends,
             Clock::time_point epoch)
      : agent_(agent), watch_(watch), ends_(ends), epoch_(epoch) {}

  [[nodiscard]] Duration now() const override { return Clock::now() - epoch_; }
  [[nodiscard]] Result<WaitEnd> wait_until(Duration moment) override;

 private:
  [[nodiscard]] Result<protocol::Reply> exchange(protocol::Request request) override {
    return agent_.exchange(std::move(request));
  }

  AgentClient& agent_;
  const MachineWatch& watch_;
  const SchedulerEnds& ends_;
  Clock::time_point epoch_;
};

}  // namespace ktstr::engine
