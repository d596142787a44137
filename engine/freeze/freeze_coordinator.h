// FreezeCoordinator: stops the guest, has a dump taken, and lets it run on.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/freeze/capture.h"
#include "engine/freeze/frozen_machine.h"
#include "vmm/machine.h"

namespace ktstr::engine {

struct FreezeOptions {
  Duration stop_deadline = std::chrono::seconds(30);  ///< for all vCPUs to stop
  Duration dump_deadline = std::chrono::seconds(10);  ///< soft: phases not begun by then are left out
};

/// Every path out of a capture thaws, a capture that throws included. Safe from several threads: captures
/// wait for each other. The machine must outlive the coordinator.
class FreezeCoordinator {
 public:
  using Clock = std::chrono::steady_clock;

  /// Takes the dump of a guest that stands still. May throw (std::bad_alloc).
  using TakeDump = std::function<introspect::FailureDumpReport(
      const std::vector<std::optional<introspect::VcpuRegSnapshot>>& registers, Clock::time_point deadline)>;
  /// The scheduler's exit kind, read from a guest that runs; nullopt when there is none.
  using ReadExitKind = std::function<std::optional<std::uint32_t>()>;

  FreezeCoordinator(vmm::Machine& machine, TakeDump take_dump, ReadExitKind read_exit_kind,
                    const FreezeOptions& options = {});

  /// Stops every vCPU, dumps, thaws. vCPUs that do not stop in time make the dump a degraded one, which says
  /// which. Errors: the machine can't be frozen at all (it has ended).
  [[nodiscard]] Result<Capture> capture(const CaptureRequest& request);

 private:
  [[nodiscard]] Capture dump(const FrozenMachine& frozen, const CaptureRequest& request,
                             Clock::time_point begin) const;
  [[nodiscard]] introspect::FailureDump degraded(const vmm::FrozenState& state,
                                                 Clock::time_point begin) const;

  vmm::Machine& machine_;
  TakeDump take_dump_;
  ReadExitKind read_exit_kind_;
  FreezeOptions options_;
  std::mutex mutex_;
};

/// The registers in the form a dump has them. An absent one stays absent.
[[nodiscard]] std::vector<std::optional<introspect::VcpuRegSnapshot>> register_snapshots(
    const vmm::FrozenState& state);

}  // namespace ktstr::engine
