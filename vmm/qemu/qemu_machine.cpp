#include "vmm/qemu/qemu_machine.h"

#include <algorithm>

#include "engine/base/thread.h"
#include "vmm/qemu/monitor_text.h"
#include "vmm/qemu/outcome.h"
#include "vmm/qemu/snapshot.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(60);
constexpr auto kResumeDeadline = std::chrono::seconds(10);
constexpr auto kStopDeadline = std::chrono::seconds(10);
constexpr auto kStopLook = std::chrono::milliseconds(200);  ///< how often a stopped process is looked for

Status run(Qmp& qmp, Deadline deadline) {
  KTSTR_TRY(qmp.execute("cont", {}, deadline));
  return ok();
}

/// Forks by starting a QEMU on a copy of the saved memory. Thread-safe.
class QemuSnapshot final : public MachineSnapshot {
 public:
  explicit QemuSnapshot(SavedMachine saved) : saved_(std::move(saved)) {}
  Result<std::unique_ptr<Machine>> fork(const std::filesystem::path& console_log) const override {
    return KTSTR_TRY(QemuMachine::resume(saved_, console_log), "fork");
  }

 private:
  const SavedMachine saved_;
};

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

Status QemuMachine::connect(Deadline deadline) {
  KTSTR_TRY(qmp_->handshake(deadline));
  version_ = parse_version_answer(KTSTR_TRY(qmp_->execute("query-version", {}, deadline)));
  thread_ids_ = parse_thread_ids(KTSTR_TRY(qmp_->execute("query-cpus-fast", {}, deadline)), cpus_);
  return gdbstub_->connect(deadline);
}

Status QemuMachine::read_memory_map(Deadline deadline) {
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
  static_cast<void>(is_readable(end_fd(), Clock::now() + kStartDeadline));
  const auto status = process_->exit_status();
  auto words = status ? last_lines(status->error_output, 5) : std::string();
  if (!words.empty()) error.message = std::move(words);
  return std::move(error).with_context("QEMU did not start");
}

Result<FrozenState> QemuMachine::stop(Deadline deadline) {
  if (auto stopped = qmp_->execute("stop", {}, deadline); !stopped) {
    // A stop that is only late would leave the guest standing for good.
    if (stopped.error().code == ErrorCode::kTimeout)
      static_cast<void>(qmp_->execute("cont", {}, Clock::now()));
    return std::move(stopped.error());
  }
  // One that has ended would stop too, and not go on again.
  if (qmp_->shutdown_reason()) return Error{ErrorCode::kCancelled, "the guest has ended"};
  return FrozenState{read_registers(deadline)};
}

std::vector<std::optional<VcpuRegisters>> QemuMachine::read_registers(Deadline deadline) {
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

Status QemuMachine::go_on() {
  saved_state_.reset();
  KTSTR_TRY(watchpoints_->collect_all(Clock::now() + kResumeDeadline));
  if (watchpoints_->caught()) return ok();  // stands until the hit is asked for
  return continue_guest(Clock::now() + kResumeDeadline);
}

/// The stub tells a hit to who made the machine run through it. It does not say that it has; a freeze before
/// that would be undone.
Status QemuMachine::continue_guest(Deadline deadline) {
  if (!watchpoints_->any()) return run(*qmp_, deadline);
  const auto seen = qmp_->resumes();
  KTSTR_TRY(gdbstub_->resume());
  return qmp_->wait_resumed(seen, deadline);
}

Status QemuMachine::watch(std::span<const Watchpoint> watchpoints, const FrozenState&) {
  return watchpoints_->set(watchpoints, Clock::now() + kStopDeadline);
}

/// A hit stops QEMU's machine; the stub tells, but says nothing of the values.
Result<bool> QemuMachine::has_hit() {
  auto collected = watchpoints_->collect();
  if (!collected && process_->exit_status()) return false;
  if (!collected) return std::move(collected.error());
  return watchpoints_->caught();
}

std::optional<WatchHit> QemuMachine::take_hit() {
  return watchpoints_->take(Clock::now() + kStopDeadline);
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

Result<std::unique_ptr<MachineSnapshot>> QemuMachine::save(const FrozenState&, Deadline deadline) {
  if (!saved_state_) saved_state_ = KTSTR_TRY(save_device_state(*qmp_, deadline));
  auto state = KTSTR_TRY(reopen_device_state(saved_state_));
  auto ram = KTSTR_TRY(RamTemplate::take(ram_));
  return std::make_unique<QemuSnapshot>(
      SavedMachine{config_, plan_, ranges_, std::move(ram), std::move(state)});
}

bool QemuMachine::wait_end(Deadline deadline) {
  while (!is_readable(end_fd(), std::min(deadline, Clock::now() + kStopLook))) {
    if (end_if_stopped()) return true;
    if (Clock::now() >= deadline) return false;
  }
  return true;
}

/// A guest that has ended by itself is stopped until QEMU quits.
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

/// A QEMU that was stopped for a while has a guest whose times are worth nothing, even when it continues.
bool QemuMachine::end_if_stopped() {
  const auto stop = process_->stop_signal();
  if (!stop) return false;
  const std::lock_guard lock(stop_signal_mutex_);
  stop_signal_ = stop;
  process_->kill();
  return true;
}

MachineEvent QemuMachine::conclude() {
  static_cast<void>(is_readable(end_fd(), Clock::now() + kStartDeadline));
  console_->wait_end();
  qmp_->wait_closed();
  EndOfMachine end;
  if (auto status = process_->exit_status()) end.exit = std::move(*status);
  end.shutdown_reason = qmp_->shutdown_reason();
  end.console = console_->findings();
  end.killed_by_us = killed_by_us_;
  const std::lock_guard lock(stop_signal_mutex_);
  end.stop_signal = stop_signal_;
  return classify_end(end);
}

void QemuMachine::kill() {
  if (!process_->exit_status()) killed_by_us_ = true;
  process_->kill();
}

}  // namespace ktstr::vmm::qemu

namespace ktstr::vmm {

Result<std::unique_ptr<Machine>> start_qemu(const MachineConfig& config) {
  return KTSTR_TRY(qemu::QemuMachine::start(config));
}

}  // namespace ktstr::vmm
