// HostAgent: the guest agent run on this host, without a guest.
#pragma once

#include <string>

#include "engine/base/child.h"
#include "engine/base/fd.h"
#include "engine/base/result.h"

namespace ktstr::engine {

/// Owns the agent's process. The agent removes its workers and cgroups when its channel ends, so also when we
/// die; the destructor ends the channel, waits for it and kills it if it does not end within 10 s.
class HostAgent {
 public:
  /// Starts the agent; it makes its cgroups in `cgroup_root`, a cgroup v2 directory. Errors: kIo.
  [[nodiscard]] static Result<HostAgent> start(const std::string& cgroup_root);
  HostAgent(HostAgent&& other) = default;
  HostAgent& operator=(HostAgent&&) = delete;
  ~HostAgent();

  [[nodiscard]] int channel_fd() const { return channel_.get(); }
  [[nodiscard]] pid_t pid() const { return process_.pid; }

 private:
  HostAgent(Fd channel, Child process) : channel_(std::move(channel)), process_(std::move(process)) {}

  Fd channel_;
  Child process_;
};

}  // namespace ktstr::engine
