// Forking a booted guest: a machine that is ready, with random numbers and a clock of its own.
#pragma once

#include <filesystem>
#include <memory>

#include "engine/base/result.h"
#include "engine/run/machine_watch.h"
#include "vmm/machine.h"

namespace ktstr::engine {

struct ForkedGuest {
  std::unique_ptr<vmm::Machine> machine;
  std::unique_ptr<MachineWatch> watch;
};

/// A machine that goes on from the snapshot, whose agent has answered that it took new entropy, from this
/// host's generator, and this host's time. Precondition: the snapshot was taken while the agent's channel was
/// idle. It must outlive the machine. Errors: those of MachineSnapshot::fork() and of AgentClient; how the
/// guest ended, when it did; kTimeout when the agent does not answer in time; whatever the cause, the user
/// may have stopped the run meanwhile (is_stop_requested()).
[[nodiscard]] Result<ForkedGuest> fork_guest(const vmm::MachineSnapshot& snapshot,
                                             const std::filesystem::path& console_log, int stop_fd,
                                             Duration timeout);

}  // namespace ktstr::engine
