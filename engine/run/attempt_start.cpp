// Attempt's way to a guest that is ready.
#include "engine/run/attempt.h"
#include "engine/run/fork_guest.h"
#include "engine/run/judge.h"
#include "vmm/backend.h"

namespace ktstr::engine {
namespace {

constexpr Duration kSnapshotDeadline = std::chrono::seconds(30);

}  // namespace

Duration Attempt::ready_timeout() const {
  return options_.boot_timeout.value_or(default_boot_timeout(scenario_.topology));
}

Status Attempt::start_machine() {
  if (origin_) KTSTR_TRY(fork_machine());
  if (!machine_) KTSTR_TRY(boot_machine());
  tell_machine();
  return ok();
}

/// Whatever goes wrong, short of the user's wish to stop, is told in the report and leaves no machine.
Status Attempt::fork_machine() {
  ticker_.begin({.stage = Stage::kForking});
  auto forked = fork_guest(*origin_->snapshot, options_.console_log, options_.stop_fd, ready_timeout());
  if (is_stop_requested(options_.stop_fd)) return cancelled();
  if (!forked) {
    options_.booted_guests->discard(*prepared_.key);
    report_.machine.fork_problem = "booted, not forked: " + forked.error().message;
    origin_.reset();
    return ok();
  }
  machine_ = std::move(forked->machine);
  watch_ = std::move(forked->watch);
  take_time(report_.timings.boot_ns, epoch_);
  report_.machine.origin = MachineOrigin::kForked;
  report_.kernel.release = origin_->kernel_release;
  return ok();
}

Status Attempt::boot_machine() {
  if (scenario_.kaslr && prepared_.kernel.bzimage.empty())
    return Error{ErrorCode::kInvalidArgument,
                 "kernel " + prepared_.kernel.metadata.release +
                     " was added as an ELF image, which can't randomise its addresses: set kaslr = "
                     "false in the scenario, or add the bzImage"};
  epoch_ = Clock::now();
  ticker_.begin({.stage = Stage::kBooting});
  machine_ = KTSTR_TRY(vmm::start_machine(prepared_.machine, options_.backend));
  watch_ = KTSTR_TRY(MachineWatch::start(*machine_, options_.stop_fd));
  report_.machine.origin = MachineOrigin::kBooted;
  return ok();
}

void Attempt::tell_machine() {
  report_.machine.backend = machine_->backend_name();
  report_.machine.program_version = machine_->program_version();
  report_.machine.emulated = machine_->is_emulated();
  if (options_.performance != vmm::PerformanceOptions{})
    report_.machine.performance = machine_->performance();
  report_.limits =
      limits_in_force(expectations_of(scenario_), machine_->is_emulated(), scenario_.topology.cpus());
}

Status Attempt::wait_ready(AgentClient& agent) {
  const auto timeout = ready_timeout();
  auto hello = agent.wait_hello(timeout);
  if (!hello && hello.error().code == ErrorCode::kTimeout)
    return Error{ErrorCode::kTimeout, "the guest was not ready within " + format_duration(timeout)};
  if (!hello) return std::move(hello.error()).with_context("the guest did not get ready");
  take_time(report_.timings.boot_ns, epoch_);
  report_.kernel.release = hello->kernel_release;
  keep_guest();
  return ok();
}

/// The channel is idle: hello is here, and nothing was asked yet.
void Attempt::keep_guest() {
  if (!prepared_.key || !options_.booted_guests->wants(*prepared_.key)) return;
  const auto begin = Clock::now();
  auto snapshot = machine_->snapshot(kSnapshotDeadline);
  take_time(report_.timings.snapshot_ns, begin);
  if (snapshot)
    options_.booted_guests->add(*prepared_.key, {std::move(*snapshot), *report_.kernel.release});
  else
    report_.machine.fork_problem = "later runs can't be forked from this one: " + snapshot.error().message;
}

}  // namespace ktstr::engine
