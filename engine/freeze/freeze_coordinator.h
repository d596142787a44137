// FreezeCoordinator: stops the guest, has its state captured, lets it run on, and has a dump made of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "introspect/dump/dump.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// A machine that is frozen for as long as this lives: it thaws on every way out of a scope. The machine
/// must outlive it. Movable.
class FrozenMachine {
 public:
  /// Errors: vmm::Machine::freeze(); the machine runs on then.
  [[nodiscard]] static Result<FrozenMachine> freeze(vmm::Machine& machine, Duration deadline);
  FrozenMachine(FrozenMachine&& other) noexcept
      : machine_(std::exchange(other.machine_, nullptr)), state_(std::move(other.state_)) {}
  FrozenMachine& operator=(FrozenMachine&&) = delete;
  ~FrozenMachine();

  [[nodiscard]] const vmm::FrozenState& state() const { return state_; }

  /// Lets the guest run on, and says whether that worked. Afterwards the destructor does nothing.
  [[nodiscard]] Status thaw();

 private:
  FrozenMachine(vmm::Machine& machine, vmm::FrozenState state)
      : machine_(&machine), state_(std::move(state)) {}

  vmm::Machine* machine_;  ///< nullptr: thawed or moved from
  vmm::FrozenState state_;
};

/// A wish for a dump; who has it knows nothing of capturing. `name` is what the user called it (empty: nobody
/// named it).
struct CaptureRequest {
  introspect::DumpCause cause = introspect::DumpCause::kRequested;
  std::string name;
  std::string detail;  ///< one line: "exit_kind is ERROR_STALL (1026)"
  Duration elapsed;    ///< since the machine's start

  /// Whether the machine has ended: nothing is stopped nor set going, its memory is as the guest left it.
  [[nodiscard]] bool of_ended_machine() const { return cause == introspect::DumpCause::kGuestPanic; }
};

/// A dump in memory. `thaw_problem`: the guest could not be set going again, and the run is lost.
struct Capture {
  introspect::FailureDump dump;
  Duration frozen;  ///< from the request to stop until the guest ran again
  std::optional<Error> thaw_problem{};
};

struct FreezeOptions {
  Duration stop_deadline = std::chrono::seconds(30);  ///< for all vCPUs to stop
  Duration dump_deadline = std::chrono::seconds(10);  ///< soft: phases not begun by then are left out
};

/// Every path out of a capture thaws, a capture that throws included. Safe from several threads: captures
/// wait for each other. The machine must outlive the coordinator.
class FreezeCoordinator {
 public:
  using Clock = std::chrono::steady_clock;

  /// Makes a report of what was captured, while the guest runs again. Called once. May throw
  /// (std::bad_alloc, which makes the report a placeholder).
  using Render = std::function<introspect::FailureDumpReport()>;
  /// Captures the state of a guest that stands still. May throw.
  using CaptureState = std::function<Render(
      const std::vector<std::optional<introspect::VcpuRegSnapshot>>& registers, Clock::time_point deadline)>;
  /// The scheduler's exit kind, read from a guest that runs; nullopt when there is none.
  using ReadExitKind = std::function<std::optional<std::uint32_t>()>;

  FreezeCoordinator(vmm::Machine& machine, CaptureState capture_state, ReadExitKind read_exit_kind,
                    const FreezeOptions& options = {});

  /// Stops every vCPU, captures, thaws, renders. vCPUs that do not stop in time make the dump a degraded one,
  /// which says which; registers that can't be read, or memory that runs out here, are among its problems. Of
  /// a machine that has ended (of_ended_machine()) the registers are those at its reset. Errors: the machine
  /// can't be frozen at all (it has ended).
  [[nodiscard]] Result<Capture> capture(const CaptureRequest& request);

 private:
  /// What is to be rendered after the thaw, and when every vCPU stood still.
  struct Frozen {
    Render render{};
    std::uint64_t stop_ns = 0;
    std::vector<std::string> problems{};
  };
  [[nodiscard]] Frozen look(const vmm::FrozenState& state, Clock::time_point begin) const;
  [[nodiscard]] Capture capture_ended(const CaptureRequest& request) const;
  /// A report in any case: without memory for it, one that says so.
  [[nodiscard]] static introspect::FailureDumpReport render(const Frozen& frozen);
  [[nodiscard]] introspect::FailureDump degraded(const vmm::FrozenState& state,
                                                 Clock::time_point begin) const;

  vmm::Machine& machine_;
  CaptureState capture_state_;
  ReadExitKind read_exit_kind_;
  FreezeOptions options_;
  std::mutex mutex_;
};

/// The registers in the form a dump has them. An absent one stays absent.
[[nodiscard]] std::vector<std::optional<introspect::VcpuRegSnapshot>> register_snapshots(
    const vmm::FrozenState& state);

}  // namespace ktstr::engine
