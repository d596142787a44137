// What the schedulers of a scenario ask of a run.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/protocol/scheduler_messages.h"
#include "engine/scenario/scenario.h"
#include "engine/scenario/schedulers_of.h"
#include "vmm/initramfs.h"

namespace ktstr::engine {

/// What must hold: the expectations of the schedulers in order of use, then the scenario's own; the last one
/// set wins.
[[nodiscard]] Expectations expectations_of(const Scenario& scenario);

/// What captures of threads need, then the scenario's kernel arguments, which win, then those of its
/// schedulers, each once.
[[nodiscard]] std::vector<std::string> kernel_args_of(const Scenario& scenario);

/// The files of all schedulers of a scenario, and where they are in the guest.
struct StagedSchedulers {
  std::vector<vmm::InitramfsFile> files;
  std::map<std::string, std::string> programs;  ///< path on this host, with its files -> path in the guest
  std::map<std::string, std::string>
      libraries;  ///< likewise the folder of its libraries; dynamic programs only
  std::map<std::string, std::string> configs;

  /// The agent's request that starts the scheduler. Precondition: it was staged.
  [[nodiscard]] protocol::AttachScheduler request(const SchedulerDef& def) const;
};

/// Each program in a folder of its own, its libraries in the folder's lib/, the dynamic loader where programs
/// expect it. Errors: those of resolve_closure (a file has changed since the scenario was checked).
[[nodiscard]] Result<StagedSchedulers> stage_schedulers(const Scenario& scenario);

}  // namespace ktstr::engine
