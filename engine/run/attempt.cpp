#include "engine/run/attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/run/agent_guest.h"
#include "engine/run/bpf_maps.h"
#include "engine/run/ctprof_captures.h"
#include "engine/run/death_evidence.h"
#include "engine/run/judge.h"
#include "engine/run/prepare_guest.h"
#include "engine/run/step_runner.h"
#include "engine/run/vcpu_meter.h"
#include "engine/scenario/workers.h"

namespace ktstr::engine {
namespace {

/// An ending machine closes its channel a moment before its event is there.
constexpr Duration kEventGrace = std::chrono::seconds(10);
constexpr Duration kShutdownGrace = std::chrono::seconds(2);
constexpr std::size_t kConsoleTailLines = 30;

/// The agent's loss and silence may be consequences of the machine's end; what it answers is not.
bool may_follow_from_the_end(ErrorCode code) {
  return code == ErrorCode::kCancelled || code == ErrorCode::kGuestFailed || code == ErrorCode::kIo;
}

std::uint64_t to_ns(std::chrono::steady_clock::duration duration) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(duration).count());
}

}  // namespace

Attempt::Attempt(const Scenario& scenario, const RunOptions& options, const Prepared& prepared,
                 ProgressTicker& ticker, RunReport& report, std::shared_ptr<const ReadyGuest> origin)
    : scenario_(scenario),
      options_(options),
      prepared_(prepared),
      ticker_(ticker),
      report_(report),
      origin_(std::move(origin)) {}

Error Attempt::cancelled() {
  return {ErrorCode::kCancelled, "the run was interrupted"};
}

Attempt::Clock::time_point Attempt::take_time(std::optional<std::uint64_t>& timing, Clock::time_point begin) {
  const auto end = Clock::now();
  timing = to_ns(end - begin);
  return end;
}

Result<std::optional<EmulatorFault>> Attempt::run() {
  const auto begin = epoch_ = Clock::now();
  KTSTR_TRY(start_machine());
  AgentClient agent(machine_->channel_fd(), watch_->fd());
  const auto status = run_guest(agent);
  const bool stopped = watch_->stop_requested();
  const auto event = status || stopped ? std::nullopt : end_behind(status.error());
  dump_panicked(event);
  collect_samples();
  if (stopped) return cancelled();
  sum_up_timings(begin);
  const auto* failed = event ? std::get_if<vmm::MachineFailed>(&*event) : nullptr;
  if (failed && failed->error.code == ErrorCode::kEmulatorFailed) return EmulatorFault{failed->error.message};
  if (auto fault = stale_code()) return fault;
  report_.machine.console_log_problem = machine_->console_log_problem();
  if (!status) explain(status.error(), event);
  machine_->kill();
  return std::nullopt;
}

std::optional<vmm::MachineEvent> Attempt::end_behind(const Error& error) const {
  auto event = may_follow_from_the_end(error.code) ? watch_->wait_event(kEventGrace) : watch_->event();
  if (event) event = by_evidence(std::move(*event), evidence());
  return event;
}

DeathEvidence Attempt::evidence() const {
  return observer_ ? read_death_evidence(observer_->kernel()) : DeathEvidence{};
}

std::optional<EmulatorFault> Attempt::stale_code() const {
  const auto oops = machine_->is_emulated() ? machine_->console_findings().emulator_fault : std::nullopt;
  if (!oops || (ready_ && !evidence().int3_oops.value_or(false))) return std::nullopt;
  return EmulatorFault{"the emulator ran stale code while the guest kernel patched it: \"" + *oops + "\""};
}

Status Attempt::run_guest(AgentClient& agent) {
  if (!origin_) KTSTR_TRY(wait_ready(agent));
  ready_ = true;
  attach();
  AgentGuest guest(agent, *watch_, ends_, dumps_, epoch_);
  KTSTR_TRY(find_topology(guest));
  KTSTR_TRY(run_workload(guest, agent));
  shut_down(agent);
  return ok();
}

/// A guest whose memory can't be read is still run: the worker checks stand on their own.
void Attempt::attach() {
  const auto begin = Clock::now();
  ticker_.begin({.stage = Stage::kAttaching});
  const auto& debug_info = prepared_.debug_info.get();
  if (!debug_info) {
    report_.monitor_problem = debug_info.error().message;
    return;
  }
  auto observer =
      Observer::attach(*machine_, *debug_info, {.period = scenario_.monitor.period, .epoch = epoch_});
  if (observer) {
    observer_ = std::move(*observer);
    start_dumps();
  } else {
    report_.monitor_problem = observer.error().message;
  }
  take_time(report_.timings.attach_ns, begin);
}

Status Attempt::find_topology(Guest& guest) {
  report_.machine.found = KTSTR_TRY(guest.ask(protocol::FindTopology{}));
  KTSTR_TRY(check_found_topology(scenario_.topology, *report_.machine.found), "set-up");
  return ok();
}

/// What the workers did is asked for whatever broke the run off, as long as there is somebody to answer.
Status Attempt::collect_reports(Workload& workload, const AgentClient& agent, Status status) {
  ticker_.begin({.stage = Stage::kCollecting});
  if (!status && (!agent.answers() || watch_->event() || watch_->stop_requested())) return status;
  const auto begin = Clock::now();
  auto stopped = workload.stop_all();
  take_time(report_.timings.collect_ns, begin);
  if (!status) return status;
  if (!stopped) return std::move(stopped.error()).with_context("stopping the workers");
  return ok();
}

Status Attempt::run_workload(Guest& guest, const AgentClient& agent) {
  Workload workload(guest, scenario_.topology, options_.seed);
  auto schedulers = make_scheduler_driver(guest);
  schedulers.keep_output_in({options_.dump_dir, scenario_.name});
  StepRunner steps(scenario_, guest, workload, schedulers, report_.timeline);
  if (dumps_) steps.set_capture([this](const std::string& name) { return capture_snapshot(name); });
  std::optional<BpfMaps> maps;
  if (observer_) maps.emplace(*machine_, observer_->kernel(), guest, report_.map_readings);
  steps.set_bpf_maps(maps ? &*maps : nullptr);
  CtprofCaptures captures(guest, {options_.dump_dir, scenario_.name}, report_.ctprof_captures);
  steps.set_ctprof(&captures);
  ticker_.begin({.stage = Stage::kSetup});
  const auto begin = Clock::now();
  auto status = set_statistics(guest, scenario_.statistics, report_.statistics.emplace());
  if (status) status = steps.set_up();
  take_time(report_.timings.setup_ns, begin);
  VcpuMeter meter(*machine_);
  meter.begin();
  if (status) status = steps.run_steps([this](const Progress& at) { ticker_.begin(at); });
  schedulers.end_account();
  report_.vcpu_statistics = meter.end();
  if (!status && !watch_->stop_requested()) dump_panicked(end_behind(status.error()));
  collect_samples();
  status = collect_reports(workload, agent, std::move(status));
  report_.workers = workload.groups();
  return status;
}

SchedulerDriver Attempt::make_scheduler_driver(Guest& guest) {
  SchedulerEvidence evidence{.end_seen = [this] { return ends_.take(); }};
  if (observer_) {
    evidence.exit_records = [this] { return observer_->exit_records(); };
    evidence.set_watchdog = [this](Duration timeout) {
      return observer_->set_watchdog(kernel_hz().hz, timeout);
    };
  }
  return {guest,
          prepared_.schedulers,
          report_.limits.scheduler_error,
          std::move(evidence),
          {report_.schedulers, report_.scheduler_gaps}};
}

/// The reports are here, so that a guest that does not end in order costs nothing but its own memory.
void Attempt::shut_down(AgentClient& agent) {
  ticker_.begin({.stage = Stage::kShutdown});
  const auto begin = Clock::now();
  static_cast<void>(agent.shut_down());
  static_cast<void>(watch_->wait_event(kShutdownGrace));
  take_time(report_.timings.shutdown_ns, begin);
}

void Attempt::start_dumps() {
  dumps_ = std::make_unique<GuestDumps>(
      *machine_, observer_->kernel(),
      GuestDumpOptions{.recorder = {.directory = options_.dump_dir, .stem = scenario_.name, .epoch = epoch_},
                       .timeline = [this] { return observer_->event_timeline(); },
                       .on_scheduler_end =
                           [this](const SchedulerEnd& end) { ends_.add(Duration(end.seen_at - epoch_)); }});
}

Status Attempt::capture_snapshot(const std::string& name) {
  auto taken = dumps_->capture_snapshot(name);
  deliver_dumps();
  return taken;
}

void Attempt::deliver_dumps() {
  for (auto& taken : dumps_->collect()) {
    report_.dumps.push_back(std::move(taken.report));
    if (!options_.on_snapshot) continue;
    const auto messages = options_.on_snapshot(taken.dump);
    const auto fail = [&](const std::string& message) {
      report_.failures.push_back({"on_snapshot", message});
    };
    if (!messages) fail(messages.error().message);
    if (messages) std::for_each(messages->begin(), messages->end(), fail);
  }
}

/// Before the guest was ready there was nobody but the kernel and the agent to write on its console.
bool Attempt::panic_is_certain() const {
  return !ready_ || evidence().panicked.value_or(false);
}

void Attempt::dump_panicked(const std::optional<vmm::MachineEvent>& event) {
  const auto* panicked = event ? std::get_if<vmm::GuestPanicked>(&*event) : nullptr;
  if (!panicked || !panic_is_certain() || std::exchange(panic_told_, true)) return;
  const auto taken =
      dumps_ ? dumps_->capture_panic(panicked->console_line)
             : Status(Error{
                   ErrorCode::kNotFound,
                   "the guest panicked before its kernel was found in memory, or when the steps were over"});
  if (!taken)
    report_.dumps.push_back({.name = {},
                             .cause = std::string(enum_name(introspect::DumpCause::kGuestPanic)),
                             .detail = panicked->console_line,
                             .schema = {},
                             .elapsed_ns = to_ns(Clock::now() - epoch_),
                             .problem = taken.error().message});
}

void Attempt::finish_dumps() {
  if (!dumps_) return;
  dumps_->stop_watching();
  deliver_dumps();
  if (const auto failure = dumps_->failure())
    report_.dumps.push_back({.name = {},
                             .cause = std::string(enum_name(introspect::DumpCause::kSchedulerError)),
                             .detail = {},
                             .schema = {},
                             .problem = failure->message});
  dumps_.reset();
}

introspect::KernelHz Attempt::kernel_hz() const {
  return introspect::kernel_hz({.elf = prepared_.kernel.elf, .config = prepared_.kernel.config, .image = {}});
}

void Attempt::collect_samples() {
  finish_dumps();
  if (!observer_ || std::exchange(samples_collected_, true)) return;
  auto& monitor = report_.monitor.emplace();
  const auto hz = kernel_hz();
  monitor.kernel_hz = hz.hz;
  monitor.kernel_hz_source = hz.source;
  monitor.preemption_threshold_ns = static_cast<std::uint64_t>(hz.preemption_threshold().ns);
  monitor.emulation_factor = report_.limits.emulation_factor;
  observer_->stop(monitor, report_.sampling);
}

/// Whether the error is what a scheduler's report says already.
bool Attempt::tells_of_scheduler(const Error& error) const {
  return !report_.schedulers.empty() && report_.schedulers.back().problem &&
         error.message.find(*report_.schedulers.back().problem) != std::string::npos;
}

std::string Attempt::panic_behind_silence() const {
  const auto seen = evidence();
  const auto said = machine_->console_findings().panic;
  if (seen.panicked.value_or(false))
    return "; its kernel has panicked: " + seen.panic_line.value_or(said.value_or("the cause is not known"));
  if (!said || (ready_ && seen.panicked)) return {};
  return "; its console says \"" + *said + "\"";
}

void Attempt::explain(const Error& error, const std::optional<vmm::MachineEvent>& event) {
  report_.console_tail = machine_->console_tail(kConsoleTailLines);
  const auto fail = [&](std::string message) { report_.failures.push_back({"guest", std::move(message)}); };
  const auto agent_words = agents_last_words(*report_.console_tail);
  if (!event && tells_of_scheduler(error)) return;  // the judge puts it first
  if (!event)
    fail(error.message + panic_behind_silence());
  else if (const auto* panicked = std::get_if<vmm::GuestPanicked>(&*event))
    fail((panic_is_certain() ? "the guest's kernel panicked: " : "the guest has ended; its console says: ") +
         panicked->console_line);
  else if (const auto* failed = std::get_if<vmm::MachineFailed>(&*event))
    report_.reason = failed->error.message;
  else
    fail(agent_words ? "the guest's agent gave up: " + *agent_words
                     : "the guest powered off or rebooted by itself, before the run was over");
}

void Attempt::sum_up_timings(Clock::time_point begin) {
  auto& timings = report_.timings;
  for (const auto& step : report_.timeline.steps)
    if (step.hold_start_ns && step.end_ns) timings.hold_ns += *step.end_ns - *step.hold_start_ns;
  timings.total_ns = timings.prepare_ns.value_or(0) + to_ns(Clock::now() - begin);
  timings.own_ns = timings.total_ns - timings.boot_ns.value_or(0) - timings.hold_ns;
}

}  // namespace ktstr::engine
