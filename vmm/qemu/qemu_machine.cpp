#include "vmm/qemu/qemu_machine.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>

#include "vmm/console.h"
#include "vmm/guest_ram.h"
#include "vmm/qemu/command_line.h"
#include "vmm/qemu/gdbstub.h"
#include "vmm/qemu/kaslr_kernel.h"
#include "vmm/qemu/memory_map.h"
#include "vmm/qemu/monitor_text.h"
#include "vmm/qemu/outcome.h"
#include "vmm/qemu/process.h"
#include "vmm/qemu/qmp.h"
#include "vmm/qemu/tsc.h"

namespace ktstr::vmm {
namespace qemu {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStartDeadline = std::chrono::seconds(60);
/// A panicked kernel resets at once (panic=-1). One that can't is ended after this, its last words read.
constexpr auto kDeathGrace = std::chrono::seconds(5);
constexpr auto kResumeDeadline = std::chrono::seconds(10);

/// Our end of a stream, and the child's end until it is spawned.
struct Wire {
  Fd ours, childs;
};

Result<Wire> make_wire() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_error("socketpair");
  return Wire{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> open_input(const std::filesystem::path& path, const char* what) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return system_error(std::string("open ") + what + " " + path.string());
  return fd;
}

/// The ELF boots fastest. Randomizing it is up to us; a kernel that can't be moved so is left to its own
/// decompressor.
Result<Fd> open_kernel(const MachineConfig& config) {
  if (!config.kaslr) return open_input(config.kernel_elf, "kernel");
  auto kernel = make_kaslr_kernel(config.kernel_elf);
  const bool immovable = !kernel && kernel.error().code == ErrorCode::kUnavailable;
  if (immovable && !config.kernel_bzimage.empty()) return open_input(config.kernel_bzimage, "kernel");
  if (!kernel) return std::move(kernel.error()).with_context("KASLR of " + config.kernel_elf.string());
  return kernel;
}

int poll_milliseconds(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000));
}

/// A guest in a QEMU process. Three threads serve it: the process's, QMP's and the console's.
class QemuMachine final : public Machine {
 public:
  static Result<std::unique_ptr<QemuMachine>> start(const MachineConfig& config);

  std::string backend_name() const override { return emulated_ ? "qemu-tcg" : "qemu-kvm"; }
  bool is_emulated() const override { return emulated_; }
  std::span<const MemoryRegion> memory() const override { return regions_; }
  Result<FrozenState> freeze(Duration deadline) override;
  Status thaw() override;
  Status set_watchpoints(std::span<const Watchpoint> watchpoints) override;
  Result<WatchHit> wait_watch_hit(Duration timeout) override;
  Result<std::unique_ptr<MachineSnapshot>> snapshot(Duration deadline) override;
  int channel_fd() const override { return channel_.get(); }
  std::vector<std::optional<int>> vcpu_thread_ids() const override { return thread_ids_; }
  Result<MachineEvent> wait_event(Duration timeout) override;
  std::string console_tail(std::size_t lines) const override { return console_->tail(lines); }
  void kill() override;

 private:
  QemuMachine(const MachineConfig& config, GuestRam ram)
      : emulated_(config.accelerator == Accelerator::kTcg),
        cpus_(config.topology.cpus()),
        ram_(std::move(ram)) {}

  Status spawn(const MachineConfig& config, const MachinePlan& plan);
  Status prepare(const MachinePlan& plan);
  Status map_memory(const MachinePlan& plan, Clock::time_point deadline);
  Error start_error(Error error);
  std::vector<std::optional<VcpuRegisters>> read_registers(Clock::time_point deadline);
  bool wait_readable(int fd, Clock::time_point deadline) const;
  void conclude();

  const bool emulated_;
  const std::size_t cpus_;
  GuestRam ram_;
  std::vector<MemoryRegion> regions_;
  std::vector<std::optional<int>> thread_ids_;
  Fd channel_;
  Fd dying_;  ///< readable once the console told of a death
  std::unique_ptr<Console> console_;
  std::unique_ptr<Qmp> qmp_;
  std::unique_ptr<Gdbstub> gdbstub_;

  std::mutex freeze_mutex_;
  std::size_t freeze_depth_ = 0;
  FrozenState frozen_;

  std::mutex event_mutex_;
  std::optional<MachineEvent> event_;
  std::atomic<bool> killed_by_us_ = false;

  std::unique_ptr<Process> process_;  // last: ends first
};

Result<std::unique_ptr<QemuMachine>> QemuMachine::start(const MachineConfig& config) {
  const auto plan = KTSTR_TRY(plan_machine(config));
  std::unique_ptr<QemuMachine> machine(new QemuMachine(config, KTSTR_TRY(GuestRam::create(plan.bank_bytes))));
  KTSTR_TRY_STATUS(machine->spawn(config, plan));
  if (auto prepared = machine->prepare(plan); !prepared)
    return machine->start_error(std::move(prepared.error()));
  return machine;
}

Status QemuMachine::spawn(const MachineConfig& config, const MachinePlan& plan) {
  const char* path = std::getenv("PATH");
  const auto program = KTSTR_TRY(find_qemu(path ? path : ""));
  const auto kernel = KTSTR_TRY(open_kernel(config));
  const auto initramfs = KTSTR_TRY(open_input(config.initramfs, "initramfs"));
  auto qmp = KTSTR_TRY(make_wire());
  auto gdb = KTSTR_TRY(make_wire());
  auto console = KTSTR_TRY(make_wire());
  auto channel = KTSTR_TRY(make_wire());

  std::vector<int> inherited;
  const auto inherit = [&](int fd) {
    inherited.push_back(fd);
    return Process::kFirstInherited + static_cast<int>(inherited.size()) - 1;
  };
  QemuDescriptors descriptors{inherit(qmp.childs.get()),
                              inherit(gdb.childs.get()),
                              inherit(console.childs.get()),
                              inherit(channel.childs.get()),
                              inherit(kernel.get()),
                              inherit(initramfs.get()),
                              {}};
  for (std::size_t i = 0; i < ram_.bank_count(); ++i) descriptors.ram.push_back(inherit(ram_.fd(i)));

  dying_ = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!dying_) return system_error("eventfd");
  console_ = KTSTR_TRY(Console::open(std::move(console.ours), config.console_log,
                                     [this] { ::eventfd_write(dying_.get(), 1); }));
  process_ = KTSTR_TRY(Process::spawn(qemu_command_line(program, config, plan, descriptors, host_tsc_khz()),
                                      std::move(inherited)));
  qmp_ = std::make_unique<Qmp>(std::move(qmp.ours));
  gdbstub_ = std::make_unique<Gdbstub>(std::move(gdb.ours));
  channel_ = std::move(channel.ours);
  return ok();
}

Status QemuMachine::prepare(const MachinePlan& plan) {
  const auto deadline = Clock::now() + kStartDeadline;
  KTSTR_TRY_STATUS(qmp_->handshake(deadline));
  KTSTR_TRY_STATUS(map_memory(plan, deadline));
  thread_ids_ = parse_thread_ids(KTSTR_TRY(qmp_->execute("query-cpus-fast", {}, deadline)), cpus_);
  KTSTR_TRY_STATUS(gdbstub_->connect(deadline));
  const auto running = qmp_->execute("cont", {}, deadline);
  return running ? ok() : Status(running.error());
}

Status QemuMachine::map_memory(const MachinePlan& plan, Clock::time_point deadline) {
  const auto text = KTSTR_TRY(qmp_->human_monitor("info mtree -f", deadline));
  for (const auto& range : KTSTR_TRY(parse_memory_map(text, plan.bank_bytes)))
    regions_.push_back({range.base, ram_.bytes(range.bank).subspan(range.bank_offset, range.bytes)});
  return ok();
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
  auto running = qmp_->execute("cont", {}, Clock::now() + kResumeDeadline);
  if (!running) return std::move(running.error()).with_context("thaw");
  return ok();
}

bool QemuMachine::wait_readable(int fd, Clock::time_point deadline) const {
  pollfd ready{fd, POLLIN, 0};
  int count = 0;
  do count = ::poll(&ready, 1, poll_milliseconds(deadline));
  while (count < 0 && errno == EINTR);
  return count > 0;
}

Status QemuMachine::set_watchpoints(std::span<const Watchpoint> watchpoints) {
  if (watchpoints.empty()) return ok();
  return Error{ErrorCode::kUnavailable, "the QEMU backend has no watchpoints"};
}

Result<WatchHit> QemuMachine::wait_watch_hit(Duration) {
  return Error{ErrorCode::kUnavailable, "the QEMU backend has no watchpoints"};
}

Result<std::unique_ptr<MachineSnapshot>> QemuMachine::snapshot(Duration) {
  return Error{ErrorCode::kUnavailable, "no snapshots yet"};
}

Result<MachineEvent> QemuMachine::wait_event(Duration timeout) {
  const auto deadline = Clock::now() + timeout.chrono();
  std::array<pollfd, 2> ready{{{process_->exit_fd(), POLLIN, 0}, {dying_.get(), POLLIN, 0}}};
  int count = 0;
  do count = ::poll(ready.data(), ready.size(), poll_milliseconds(deadline));
  while (count < 0 && errno == EINTR);
  if (count == 0) return Error{ErrorCode::kTimeout, "no event within " + format_duration(timeout)};
  if (ready[0].revents == 0 && !wait_readable(process_->exit_fd(), Clock::now() + kDeathGrace))
    process_->kill();
  conclude();
  const std::lock_guard lock(event_mutex_);
  return *event_;
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
  end.emulated = emulated_;
  end.killed_by_us = killed_by_us_;
  event_ = classify_end(end);
}

void QemuMachine::kill() {
  if (!process_->exit_status()) killed_by_us_ = true;
  process_->kill();
}

}  // namespace
}  // namespace qemu

Result<std::string> find_qemu(const std::string& path) {
  constexpr std::string_view kName = "qemu-system-x86_64";
  for (std::size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find(':', begin), path.size());
    const auto candidate = path.substr(begin, end - begin) + "/" + std::string(kName);
    if (end > begin && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return Error{ErrorCode::kUnavailable,
               std::string(kName) + " is not installed: it comes with the Debian package qemu-system-x86"};
}

Result<std::unique_ptr<Machine>> start_qemu(const MachineConfig& config) {
  return KTSTR_TRY(qemu::QemuMachine::start(config));
}

}  // namespace ktstr::vmm
