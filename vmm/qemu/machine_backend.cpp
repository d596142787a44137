#include "vmm/qemu/machine_backend.h"

#include <poll.h>

#include <algorithm>
#include <array>

#include "engine/base/thread.h"
#include "vmm/qemu/device_state.h"
#include "vmm/qemu/monitor_text.h"
#include "vmm/qemu/outcome.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(60);
constexpr auto kResumeDeadline = std::chrono::seconds(10);
constexpr auto kStopDeadline = std::chrono::seconds(10);
constexpr auto kStopLook = std::chrono::milliseconds(200);  ///< how often a stopped process is looked for

int poll_milliseconds(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
}

Status run(Qmp& qmp, Deadline deadline) {
  const auto running = qmp.execute("cont", {}, deadline);
  return running ? ok() : Status(running.error());
}

}  // namespace

Result<std::unique_ptr<QemuMachine>> QemuMachine::start(const MachineConfig& config) {
  auto plan = KTSTR_TRY(plan_machine(config));
  auto files = KTSTR_TRY(open_boot_files(config, plan));
  if (!files.place) plan.type = MachineType::kPc;  // where QEMU itself leaves the firmware its room
  const Origin origin = std::move(files);
  auto machine = KTSTR_TRY(launch(config, std::move(plan), origin));
  if (auto booted = machine->boot(); !booted) return machine->start_error(std::move(booted.error()));
  return machine;
}

Result<std::unique_ptr<QemuMachine>> QemuMachine::resume(const SavedMachine& saved,
                                                         const std::filesystem::path& console_log) {
  auto config = saved.config;
  config.console_log = console_log;
  config.performance = performance_of_fork(config.performance);
  const Origin origin = DeviceStateFile{KTSTR_TRY(reopen_device_state(saved.device_state))};
  auto machine = KTSTR_TRY(launch(std::move(config), saved.plan, origin));
  if (auto loaded = machine->load(saved); !loaded) return machine->start_error(std::move(loaded.error()));
  return machine;
}

Result<std::unique_ptr<QemuMachine>> QemuMachine::launch(MachineConfig config, MachinePlan plan,
                                                         const Origin& origin) {
  const auto& wanted = config.performance;
  const RamOptions pages{.huge_pages = wanted.huge_pages, .prefault = wanted.prefault};
  auto ram = KTSTR_TRY(GuestRam::create(plan.bank_bytes, pages));
  std::unique_ptr<QemuMachine> machine(new QemuMachine(std::move(config), std::move(plan), std::move(ram)));
  auto qemu = KTSTR_TRY(launch_qemu(machine->config_, machine->plan_, machine->ram_, origin));
  machine->process_ = std::move(qemu.process);
  machine->console_ = KTSTR_TRY(Console::open(std::move(qemu.console), machine->config_.console_log));
  machine->qmp_ = std::make_unique<Qmp>(std::move(qemu.qmp));
  machine->gdbstub_ = std::make_unique<Gdbstub>(std::move(qemu.gdb));
  machine->watchpoints_ = KTSTR_TRY(GdbWatchpoints::create(*machine->gdbstub_, machine->cpus_));
  machine->channel_ = std::move(qemu.channel);
  machine->device_state_ = qemu.device_state;
  auto* self = machine.get();
  self->end_ = KTSTR_TRY(with_threads(
      "the machine's end", [self] { return std::jthread([self] { self->follow_to_the_end(); }); }));
  return machine;
}

QemuMachine::~QemuMachine() {
  if (process_) kill();
}

Status QemuMachine::boot() {
  const auto deadline = Clock::now() + kStartDeadline;
  KTSTR_TRY(connect(deadline));
  KTSTR_TRY(read_memory_map(deadline));
  return run(*qmp_, deadline);
}

/// The memory is copied while QEMU starts up, which takes longer.
Status QemuMachine::load(const SavedMachine& saved) {
  const auto deadline = Clock::now() + kStartDeadline;
  KTSTR_TRY(saved.ram.copy_into(ram_));
  KTSTR_TRY(connect(deadline));
  set_memory_map(saved.ranges);
  KTSTR_TRY(load_device_state(*qmp_, device_state_, deadline));
  return run(*qmp_, deadline);
}

Status QemuMachine::connect(Clock::time_point deadline) {
  KTSTR_TRY(qmp_->handshake(deadline));
  thread_ids_ = parse_thread_ids(KTSTR_TRY(qmp_->execute("query-cpus-fast", {}, deadline)), cpus_);
  return gdbstub_->connect(deadline);
}

Status QemuMachine::read_memory_map(Clock::time_point deadline) {
  const auto text = KTSTR_TRY(qmp_->human_monitor("info mtree -f", deadline));
  set_memory_map(KTSTR_TRY(parse_memory_map(text, plan_.bank_bytes)));
  return ok();
}

void QemuMachine::set_memory_map(std::vector<RamRange> ranges) {
  ranges_ = std::move(ranges);
  for (const auto& range : ranges_)
    regions_.push_back({range.base, ram_.bytes(range.bank).subspan(range.bank_offset, range.bytes)});
}

/// QEMU's own words, where it has left any, say more than the loss of a connection.
Error QemuMachine::start_error(Error error) {
  process_->kill();
  wait_readable(process_->exit_fd(), Clock::now() + kStartDeadline);
  const auto status = process_->exit_status();
  auto words = status ? last_lines(status->error_output, 5) : std::string();
  if (!words.empty()) error.message = std::move(words);
  return std::move(error).with_context("QEMU did not start");
}

Result<FrozenState> QemuMachine::freeze(Duration deadline) {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ > 0) return ++freeze_depth_, frozen_;
  const auto until = Clock::now() + deadline.chrono();
  if (auto stopped = qmp_->execute("stop", {}, until); !stopped) {
    // A stop that is only late would leave the guest standing for good.
    if (stopped.error().code == ErrorCode::kTimeout)
      static_cast<void>(qmp_->execute("cont", {}, Clock::now()));
    return std::move(stopped.error()).with_context("freeze");
  }
  // One that has ended would stop too, and not go on again.
  if (qmp_->shutdown_reason()) return Error{ErrorCode::kCancelled, "freeze: the guest has ended"};
  frozen_.vcpus = read_registers(until);
  freeze_depth_ = 1;
  return frozen_;
}

std::vector<std::optional<VcpuRegisters>> QemuMachine::read_registers(Clock::time_point deadline) {
  std::vector<std::optional<VcpuRegisters>> vcpus(cpus_);
  const auto text = qmp_->human_monitor("info registers -a", deadline);
  const auto idt_bases = parse_idt_bases(text ? std::string_view(*text) : std::string_view(), cpus_);
  for (std::size_t i = 0; i < cpus_; ++i) {
    auto registers = gdbstub_->registers(i, deadline);
    if (!registers) continue;
    registers->idt_base = idt_bases[i];
    vcpus[i] = *registers;
  }
  return vcpus;
}

Status QemuMachine::thaw() {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ == 0) return Error{ErrorCode::kInvalidArgument, "thaw: the machine is not frozen"};
  if (--freeze_depth_ > 0) return ok();
  saved_state_.reset();
  if (const auto all = watchpoints_->collect_all(Clock::now() + kResumeDeadline); !all)
    return Error(all.error()).with_context("thaw");
  if (watchpoints_->caught()) return ok();  // stands until the hit is asked for
  KTSTR_TRY(go_on(Clock::now() + kResumeDeadline), "thaw");
  return ok();
}

/// The stub tells a hit to who made the machine run through it. It does not say that it has; a freeze before
/// that would be undone.
Status QemuMachine::go_on(Clock::time_point deadline) {
  if (!watchpoints_->any()) return run(*qmp_, deadline);
  const auto seen = qmp_->resumes();
  KTSTR_TRY(gdbstub_->resume());
  return qmp_->wait_resumed(seen, deadline);
}

bool QemuMachine::wait_readable(int fd, Clock::time_point deadline) const {
  pollfd ready{fd, POLLIN, 0};
  int count = 0;
  do count = ::poll(&ready, 1, poll_milliseconds(deadline));
  while (count < 0 && errno == EINTR);
  return count > 0;
}

Status QemuMachine::set_watchpoints(std::span<const Watchpoint> watchpoints) {
  KTSTR_TRY(freeze(kStopDeadline));
  auto set = [&] {
    const std::lock_guard lock(freeze_mutex_);
    return watchpoints_->set(watchpoints, Clock::now() + kStopDeadline);
  }();
  KTSTR_TRY(thaw());
  return set;
}

/// A hit stops QEMU's machine; the stub tells, but says nothing of the values.
Result<WatchHit> QemuMachine::wait_watch_hit(Duration timeout) {
  const auto deadline = Clock::now() + timeout.chrono();
  while (true) {
    if (auto hit = KTSTR_TRY(take_watch_hit())) return std::move(*hit);
    std::array<pollfd, 2> ready{{{gdbstub_->fd(), POLLIN, 0}, {process_->exit_fd(), POLLIN, 0}}};
    int count = 0;
    do count = ::poll(ready.data(), ready.size(), poll_milliseconds(deadline));
    while (count < 0 && errno == EINTR);
    if (count == 0)
      return Error{ErrorCode::kTimeout, "no watchpoint was hit within " + format_duration(timeout)};
    if (ready[1].revents != 0) return Error{ErrorCode::kCancelled, "watchpoints: the machine has ended"};
  }
}

/// A hit that has come, and the machine frozen with it.
Result<std::optional<WatchHit>> QemuMachine::take_watch_hit() {
  {
    const std::lock_guard lock(freeze_mutex_);
    const auto collected = watchpoints_->collect();
    if (!collected && process_->exit_status()) return std::optional<WatchHit>();  // the caller sees that end
    if (!collected) return std::move(collected.error());
    if (!watchpoints_->caught()) return std::optional<WatchHit>();
  }
  KTSTR_TRY(freeze(kStopDeadline));
  auto hit = [&] {
    const std::lock_guard lock(freeze_mutex_);
    return watchpoints_->take(Clock::now() + kStopDeadline);
  }();
  if (!hit) KTSTR_TRY(thaw());  // another thread was quicker
  return hit;
}

MachinePerformance QemuMachine::performance() const {
  MachinePerformance had;
  had.ram_pages = ram_.pages();
  had.prefaulted = config_.performance.prefault;
  return had;
}

Result<MachineStatistics> QemuMachine::statistics() {
  return Error{ErrorCode::kUnavailable, "the QEMU backend has no statistics of vCPUs"};
}

Result<std::unique_ptr<MachineSnapshot>> QemuMachine::snapshot(Duration deadline) {
  const std::lock_guard lock(snapshot_mutex_);
  const auto until = Clock::now() + deadline.chrono();
  KTSTR_TRY(freeze(deadline));
  auto saved = save(until);
  KTSTR_TRY(thaw());
  if (!saved) return std::move(saved.error()).with_context("snapshot");
  return std::unique_ptr<MachineSnapshot>(std::make_unique<QemuSnapshot>(std::move(*saved)));
}

Result<SavedMachine> QemuMachine::save(Clock::time_point deadline) {
  if (!saved_state_) saved_state_ = KTSTR_TRY(save_device_state(*qmp_, deadline));
  auto state = KTSTR_TRY(reopen_device_state(saved_state_));
  auto ram = KTSTR_TRY(RamTemplate::take(ram_));
  return SavedMachine{config_, plan_, ranges_, std::move(ram), std::move(state)};
}

Result<MachineEvent> QemuMachine::wait_event(Duration timeout) {
  const auto deadline = Clock::now() + timeout.chrono();
  while (!wait_readable(process_->exit_fd(), std::min(deadline, Clock::now() + kStopLook))) {
    if (end_if_stopped()) break;
    if (Clock::now() >= deadline)
      return Error{ErrorCode::kTimeout, "no event within " + format_duration(timeout)};
  }
  conclude();
  const std::lock_guard lock(event_mutex_);
  return *event_;
}

/// A guest that has ended by itself stands still until QEMU quits.
void QemuMachine::follow_to_the_end() {
  qmp_->wait_shutdown();
  const auto reason = qmp_->shutdown_reason();
  if (!reason) return;
  const auto deadline = Clock::now() + kStopDeadline;
  if (reason == "guest-reset") {
    const std::lock_guard lock(freeze_mutex_);
    last_registers_ = read_registers(deadline);
  }
  const auto quit = qmp_->execute("quit", {}, deadline);
  if (!quit && quit.error().code == ErrorCode::kTimeout) process_->kill();
}

std::vector<std::optional<VcpuRegisters>> QemuMachine::last_registers() {
  const std::lock_guard lock(freeze_mutex_);
  return last_registers_;
}

/// A QEMU that stood still for a while has a guest whose times are worth nothing, even when it goes on.
bool QemuMachine::end_if_stopped() {
  const auto stop = process_->stop_signal();
  if (!stop) return false;
  const std::lock_guard lock(event_mutex_);
  stop_signal_ = stop;
  process_->kill();
  return true;
}

/// Waits for the last words of everything and settles the event.
void QemuMachine::conclude() {
  const std::lock_guard lock(event_mutex_);
  if (event_) return;
  wait_readable(process_->exit_fd(), Clock::now() + kStartDeadline);
  console_->wait_end();
  qmp_->wait_closed();
  EndOfMachine end;
  if (auto status = process_->exit_status()) end.exit = std::move(*status);
  end.shutdown_reason = qmp_->shutdown_reason();
  end.console = console_->findings();
  end.killed_by_us = killed_by_us_;
  end.stop_signal = stop_signal_;
  event_ = classify_end(end);
}

void QemuMachine::kill() {
  if (!process_->exit_status()) killed_by_us_ = true;
  process_->kill();
}

}  // namespace ktstr::vmm::qemu
