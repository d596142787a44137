// Attempt: one guest of a scenario, from the machine's start, by boot or fork, to its end.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include "engine/agent/agent_client.h"
#include "engine/freeze/guest_dumps.h"
#include "engine/kernels/kernel_store.h"
#include "engine/run/agent_guest.h"
#include "engine/run/death_evidence.h"
#include "engine/run/machine_watch.h"
#include "engine/run/observer.h"
#include "engine/run/progress.h"
#include "engine/run/repeat.h"
#include "engine/run/runner.h"
#include "engine/run/scheduler_driver.h"
#include "engine/run/workload.h"
#include "introspect/monitor/kernel_hz.h"

namespace ktstr::engine {

/// What all attempts of a run share.
struct Prepared {
  CachedKernel kernel;
  vmm::MachineConfig machine;
  std::optional<BootKey> key;  ///< present exactly when the run has BootedGuests
  StagedSchedulers schedulers;
  std::shared_future<Result<std::shared_ptr<const introspect::KernelDebugInfo>>> debug_info;
};

class Attempt {
 public:
  /// Everything must outlive the attempt. `report` has its constant parts filled in. `origin`: what to fork;
  /// without it, or when that fails, the guest is booted.
  Attempt(const Scenario& scenario, const RunOptions& options, const Prepared& prepared,
          ProgressTicker& ticker, RunReport& report, std::shared_ptr<const ReadyGuest> origin);

  /// Runs to the end and fills the report up to the judgement; an EmulatorFault leaves it as far as it came.
  /// Errors: kCancelled; the machine could not be started.
  [[nodiscard]] Result<std::optional<EmulatorFault>> run();

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] static Error cancelled();
  [[nodiscard]] Duration ready_timeout() const;
  [[nodiscard]] Status start_machine();
  [[nodiscard]] Status fork_machine();
  [[nodiscard]] Status boot_machine();
  void tell_machine();
  /// The parts of the run, in order, to the first error.
  [[nodiscard]] Status run_guest(AgentClient& agent);
  /// Waits for a booted guest's hello, and keeps the guest for later runs.
  [[nodiscard]] Status wait_ready(AgentClient& agent);
  void keep_guest();
  void attach();
  /// Puts what the guest's kernel found into the report. Errors besides: it is not what was asked for.
  [[nodiscard]] Status find_topology(Guest& guest);
  [[nodiscard]] Status run_workload(Guest& guest, const AgentClient& agent);
  /// Stops the workers and keeps their reports; `status`, how the run went so far, comes back unless that
  /// fails.
  [[nodiscard]] Status collect_reports(Workload& workload, const AgentClient& agent, Status status);
  [[nodiscard]] SchedulerDriver make_scheduler_driver(Guest& guest);
  void start_dumps();
  [[nodiscard]] Status capture_snapshot(const std::string& name);
  /// Puts the dumps taken since the last call into the report and shows them to the hook.
  void deliver_dumps();
  /// A guest that panicked leaves its memory, which says what its registers no longer can.
  void dump_panicked(const std::optional<vmm::MachineEvent>& event);  ///< once
  void finish_dumps();
  void shut_down(AgentClient& agent);
  /// The console's "Oops: int3" of an emulated guest, where it is the kernel's: before the guest was ready
  /// there was nobody else to write it, and later the kernel's memory must tell of that oops.
  [[nodiscard]] std::optional<EmulatorFault> stale_code() const;
  [[nodiscard]] DeathEvidence evidence() const;
  /// Whether a panic on the console is the kernel's.
  [[nodiscard]] bool panic_is_certain() const;
  /// The panic of a guest that is silent and has not ended, in a clause; empty without one.
  [[nodiscard]] std::string panic_behind_silence() const;
  /// The machine's end that an error follows from, if there is one.
  [[nodiscard]] std::optional<vmm::MachineEvent> end_behind(const Error& error) const;
  [[nodiscard]] bool tells_of_scheduler(const Error& error) const;
  /// Puts down why the run broke off: a failure, or a reason for being inconclusive.
  void explain(const Error& error, const std::optional<vmm::MachineEvent>& event);
  [[nodiscard]] introspect::KernelHz kernel_hz() const;
  void collect_samples();
  /// Adds the time since `begin` to a timing and returns the end.
  Clock::time_point take_time(std::optional<std::uint64_t>& timing, Clock::time_point begin);
  void sum_up_timings(Clock::time_point begin);

  const Scenario& scenario_;
  const RunOptions& options_;
  const Prepared& prepared_;
  ProgressTicker& ticker_;
  RunReport& report_;
  std::shared_ptr<const ReadyGuest> origin_;  ///< of the machine; none when it booted
  Clock::time_point epoch_{};                 ///< the machine's start
  std::unique_ptr<vmm::Machine> machine_;
  std::unique_ptr<MachineWatch> watch_;
  std::unique_ptr<Observer> observer_;  ///< to the end: its kernel tells how the guest died
  SchedulerEnds ends_;
  bool samples_collected_ = false;
  bool panic_told_ = false;
  std::unique_ptr<GuestDumps> dumps_;  ///< while there is an observer
  bool ready_ = false;                 ///< the guest has begun to do what the scenario says
};

}  // namespace ktstr::engine
