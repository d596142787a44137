#include "vmm/kvm/kvm_machine.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <mutex>

#include "vmm/apic_id.h"
#include "vmm/console.h"
#include "vmm/guest_ram.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/debug_registers.h"
#include "vmm/kvm/ending.h"
#include "vmm/kvm/host_cpu.h"
#include "vmm/kvm/ioctl.h"
#include "vmm/kvm/kvm_snapshot.h"
#include "vmm/kvm/machine_devices.h"
#include "vmm/kvm/placement.h"
#include "vmm/kvm/ram_layout.h"
#include "vmm/kvm/statistics_reader.h"
#include "vmm/kvm/streams.h"
#include "vmm/kvm/vcpu.h"
#include "vmm/memory_plan.h"
#include "vmm/watch_hits.h"

namespace ktstr::vmm {
namespace kvm {
namespace {

using Clock = std::chrono::steady_clock;

/// A panicked kernel resets at once (panic=-1). One that can't is ended after this, its last words read.
constexpr auto kDeathGrace = std::chrono::seconds(5);

constexpr auto kStopDeadline = std::chrono::seconds(10);
constexpr auto kStartDeadline = std::chrono::seconds(10);

bool wait_readable(std::span<pollfd> fds, Clock::time_point deadline) {
  int count = 0;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    count =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000)));
  } while (count < 0 && errno == EINTR);
  return count > 0;
}

/// A guest in this process: a thread for each vCPU, one for the channel and one for the console.
class KvmMachine final : public Machine {
 public:
  static Result<std::unique_ptr<KvmMachine>> start(const MachineConfig& config);
  static Result<std::unique_ptr<KvmMachine>> fork(const MachineState& state,
                                                  const std::filesystem::path& console_log);
  ~KvmMachine() override;

  std::string backend_name() const override { return "kvm"; }
  bool is_emulated() const override { return emulated_; }
  std::span<const MemoryRegion> memory() const override { return regions_; }
  Result<FrozenState> freeze(Duration deadline) override;
  Status thaw() override;
  Status set_watchpoints(std::span<const Watchpoint> watchpoints) override;
  Result<WatchHit> wait_watch_hit(Duration timeout) override;
  Result<std::unique_ptr<MachineSnapshot>> snapshot(Duration deadline) override;
  int channel_fd() const override { return channel_.get(); }
  std::vector<std::optional<int>> vcpu_thread_ids() const override { return thread_ids_; }
  MachinePerformance performance() const override { return placement_.performance(ram_); }
  Result<MachineStatistics> statistics() override;
  Result<MachineEvent> wait_event(Duration timeout) override;
  std::string console_tail(std::size_t lines) const override { return console_->tail(lines); }
  void kill() override;

 private:
  KvmMachine(const Topology& topology, HostPlacement placement, GuestRam ram)
      : topology_(topology), placement_(std::move(placement)), ram_(std::move(ram)), gate_(topology.cpus()) {}

  Status assemble(const std::filesystem::path& console_log);
  Status connect(const std::filesystem::path& console_log);
  Status make_vcpus(const Kvm& kvm);
  Status load(const MachineConfig& config);
  Status restore(const MachineState& state);
  Status begin();
  MachineParts parts() { return {*vm_, *devices_, vcpus_}; }
  std::vector<std::optional<VcpuRegisters>> read_registers(const std::vector<bool>& stopped) const;
  Result<MachineState> save(const FrozenState& frozen);
  void tell_clocks() const;
  std::optional<std::uint64_t> read_watched(const Watchpoint& watchpoint) const;
  void end_vcpus();
  void conclude();

  const Topology topology_;
  const HostPlacement placement_;
  const bool emulated_ = host_is_emulated();
  GuestRam ram_;
  std::vector<RamPart> ram_parts_;
  std::vector<MemoryRegion> regions_;
  std::optional<GuestMemory> guest_memory_;
  std::vector<std::optional<int>> thread_ids_;

  std::unique_ptr<Ending> ending_;
  std::unique_ptr<WatchHits> hits_;
  Fd console_end_;  ///< what the serial port writes into
  Fd dying_;        ///< readable once the console told of a death
  std::unique_ptr<Console> console_;
  Fd channel_;
  std::optional<Vm> vm_;
  std::unique_ptr<MachineDevices> devices_;
  PauseGate gate_;
  std::optional<VcpuSurroundings> surroundings_;

  std::mutex freeze_mutex_;
  std::size_t freeze_depth_ = 0;
  FrozenState frozen_;

  std::mutex event_mutex_;
  std::optional<MachineEvent> event_;

  std::mutex vcpus_mutex_;
  StatisticsReader statistics_;
  std::vector<std::unique_ptr<Vcpu>> vcpus_;  // last: their threads use everything else
};

class KvmSnapshot final : public MachineSnapshot {
 public:
  explicit KvmSnapshot(MachineState state) : state_(std::move(state)) {}
  Result<std::unique_ptr<Machine>> fork(const std::filesystem::path& console_log) const override {
    return KTSTR_TRY(KvmMachine::fork(state_, console_log));
  }

 private:
  const MachineState state_;
};

Result<std::unique_ptr<KvmMachine>> KvmMachine::start(const MachineConfig& config) {
  const auto banks = KTSTR_TRY(plan_banks(config));
  auto placement = KTSTR_TRY(HostPlacement::plan(config.performance, config.topology));
  auto ram = KTSTR_TRY(GuestRam::create(banks, placement.ram()));
  std::unique_ptr<KvmMachine> machine(new KvmMachine(config.topology, std::move(placement), std::move(ram)));
  KTSTR_TRY_STATUS(machine->assemble(config.console_log));
  KTSTR_TRY_STATUS(machine->load(config));
  KTSTR_TRY_STATUS(machine->begin());
  return machine;
}

Result<std::unique_ptr<KvmMachine>> KvmMachine::fork(const MachineState& state,
                                                     const std::filesystem::path& console_log) {
  auto placement = KTSTR_TRY(HostPlacement::plan(state.performance, state.topology));
  auto ram = KTSTR_TRY(GuestRam::copy_on_write(state.ram));
  std::unique_ptr<KvmMachine> machine(new KvmMachine(state.topology, std::move(placement), std::move(ram)));
  KTSTR_TRY_STATUS(machine->assemble(console_log));
  KTSTR_TRY_STATUS(machine->restore(state));
  KTSTR_TRY_STATUS(machine->begin());
  return machine;
}

KvmMachine::~KvmMachine() {
  kill();
}

/// Everything but what is in it: memory, registers and devices are as they come.
Status KvmMachine::assemble(const std::filesystem::path& console_log) {
  const auto kvm = KTSTR_TRY(Kvm::open());
  std::vector<std::span<std::byte>> banks;
  for (std::size_t bank = 0; bank < ram_.bank_count(); ++bank) banks.push_back(ram_.bytes(bank));
  ram_parts_ = lay_out_ram(banks);
  for (const auto& part : ram_parts_) regions_.push_back(part.region);
  guest_memory_.emplace(regions_);
  vm_ = KTSTR_TRY(Vm::create(kvm, regions_, largest_apic_id(topology_)));
  if (const auto longest = placement_.options().halt_poll)
    KTSTR_TRY_STATUS(vm_->limit_halt_polling(kvm, *longest));
  KTSTR_TRY_STATUS(connect(console_log));
  return make_vcpus(kvm);
}

Status KvmMachine::load(const MachineConfig& config) {
  const auto entry = KTSTR_TRY(load_guest(config, ram_, ram_parts_));
  for (const auto& vcpu : vcpus_) KTSTR_TRY_STATUS(vcpu->set_up());
  return vcpus_[0]->set_boot_registers(entry.entry, entry.boot_params);
}

Status KvmMachine::restore(const MachineState& state) {
  devices_->pause();
  KTSTR_TRY_STATUS(restore_machine(parts(), state));
  tell_clocks();
  devices_->resume();
  return ok();
}

Status KvmMachine::begin() {
  for (auto& vcpu : vcpus_) vcpu->start();
  static_cast<void>(gate_.wait_all(Clock::now() + kStartDeadline));
  for (auto& vcpu : vcpus_) thread_ids_.emplace_back(vcpu->thread_id());
  KTSTR_TRY_STATUS(placement_.place(thread_ids_));
  gate_.open();
  return ok();
}

Status KvmMachine::connect(const std::filesystem::path& console_log) {
  ending_ = KTSTR_TRY(Ending::create());
  hits_ = KTSTR_TRY(WatchHits::create());
  auto console = KTSTR_TRY(make_socketpair());
  auto channel = KTSTR_TRY(make_socketpair());
  dying_ = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!dying_) return system_error("eventfd");
  console_ = KTSTR_TRY(
      Console::open(std::move(console.ours), console_log, [this] { ::eventfd_write(dying_.get(), 1); }));
  console_end_ = std::move(console.theirs);
  channel_ = std::move(channel.ours);
  devices_ = KTSTR_TRY(MachineDevices::create(
      *vm_, *guest_memory_,
      {.console = [fd = console_end_.get()](std::string_view bytes) { write_all(fd, bytes); },
       .on_power = [this](PowerRequest) { ending_->guest_exited(); },
       .on_panic = [](PanicEvent) {},  // the console tells it in the kernel's own words
       .channel = std::move(channel.theirs)}));
  surroundings_.emplace(
      VcpuSurroundings{.ports = devices_->ports(),
                       .memory = devices_->memory(),
                       .gate = gate_,
                       .on_shutdown = [this] { ending_->guest_exited(); },
                       .on_failure = [this](Error error) { ending_->failed(std::move(error)); },
                       .on_debug =
                           [this](std::size_t vcpu, const kvm_debug_exit_arch& debug) {
                             if (!hits_->catches(debug.dr6)) return;
                             gate_.close();
                             hits_->add(vcpu, debug.dr6);
                           }});
  return ok();
}

Status KvmMachine::make_vcpus(const Kvm& kvm) {
  const auto supported = KTSTR_TRY(kvm.supported_cpuid());
  for (std::size_t cpu = 0; cpu < topology_.cpus(); ++cpu) {
    auto vcpu = KTSTR_TRY(Vcpu::create(kvm, vm_->fd(), cpu, apic_id(topology_, cpu), *surroundings_));
    const CpuidOptions options{.dedicated_cpus = placement_.options().dedicated_cpus};
    KTSTR_TRY_STATUS(vcpu->set_cpuid(guest_cpuid(supported, topology_, cpu, options)));
    vcpus_.push_back(std::move(vcpu));
  }
  statistics_.open(vm_->fd(), vcpus_);
  return ok();
}

Result<FrozenState> KvmMachine::freeze(Duration deadline) {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ > 0) return ++freeze_depth_, frozen_;
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "freeze: the machine has ended"};
  const auto until = Clock::now() + deadline.chrono();
  gate_.close();
  for (auto& vcpu : vcpus_) vcpu->kick();
  const auto stopped = gate_.wait_all(until);
  devices_->pause();
  frozen_.vcpus = read_registers(stopped);
  freeze_depth_ = 1;
  return frozen_;
}

std::vector<std::optional<VcpuRegisters>> KvmMachine::read_registers(const std::vector<bool>& stopped) const {
  std::vector<std::optional<VcpuRegisters>> registers(vcpus_.size());
  for (std::size_t i = 0; i < vcpus_.size(); ++i) {
    if (!stopped[i]) continue;
    if (auto read = vcpus_[i]->registers()) registers[i] = *read;
  }
  return registers;
}

Status KvmMachine::thaw() {
  const std::lock_guard lock(freeze_mutex_);
  if (freeze_depth_ == 0) return Error{ErrorCode::kInvalidArgument, "thaw: the machine is not frozen"};
  if (--freeze_depth_ > 0) return ok();
  const std::lock_guard vcpus(vcpus_mutex_);
  tell_clocks();
  devices_->resume();
  if (hits_->empty()) gate_.open();
  return ok();
}

Status KvmMachine::set_watchpoints(std::span<const Watchpoint> watchpoints) {
  KTSTR_TRY_STATUS(check_watchpoints(watchpoints));
  const auto frozen = KTSTR_TRY(freeze(kStopDeadline));
  Status set = ok();
  for (std::size_t i = 0; i < frozen.vcpus.size() && set; ++i) {
    set = frozen.vcpus[i]
              ? vcpus_[i]->set_debug(debug_registers(watchpoints))
              : Error{ErrorCode::kTimeout, fmt::format("vCPU {} did not stop for a watchpoint", i)};
  }
  if (set)
    hits_->watch(watchpoints, [this](const Watchpoint& watchpoint) { return read_watched(watchpoint); });
  KTSTR_TRY_STATUS(thaw());
  return set;
}

/// By the page tables of the first vCPU that maps it: one that is in user space may not map the kernel.
std::optional<std::uint64_t> KvmMachine::read_watched(const Watchpoint& watchpoint) const {
  for (const auto& vcpu : vcpus_) {
    const auto place = vcpu->translate(watchpoint.address);
    const auto bytes = place ? guest_memory_->slice(*place, watchpoint.bytes) : std::nullopt;
    if (!bytes) continue;
    std::uint64_t value = 0;
    std::memcpy(&value, bytes->data(), bytes->size());
    return value;
  }
  return std::nullopt;
}

Result<WatchHit> KvmMachine::wait_watch_hit(Duration timeout) {
  const auto deadline = Clock::now() + timeout.chrono();
  while (true) {
    std::array<pollfd, 2> ready{{{hits_->fd(), POLLIN, 0}, {ending_->fd(), POLLIN, 0}}};
    if (!wait_readable(ready, deadline))
      return Error{ErrorCode::kTimeout, "no watchpoint was hit within " + format_duration(timeout)};
    if (ready[1].revents != 0) return Error{ErrorCode::kCancelled, "watchpoints: the machine has ended"};
    KTSTR_TRY(freeze(kStopDeadline));
    if (auto hit = hits_->take([this](const Watchpoint& watchpoint) { return read_watched(watchpoint); }))
      return std::move(*hit);
    KTSTR_TRY_STATUS(thaw());  // another thread was quicker
  }
}

/// The guest's lockup detectors learn that it was not running (KVM_KVMCLOCK_CTRL). A vCPU whose kvm-clock is
/// not in use yet has nobody to tell.
void KvmMachine::tell_clocks() const {
  for (const auto& vcpu : vcpus_)
    static_cast<void>(kvm_ioctl(vcpu->fd(), KVM_KVMCLOCK_CTRL, "KVM_KVMCLOCK_CTRL", 0));
}

Result<std::unique_ptr<MachineSnapshot>> KvmMachine::snapshot(Duration deadline) {
  const auto frozen = KTSTR_TRY(freeze(deadline));
  auto state = save(frozen);
  KTSTR_TRY_STATUS(thaw());
  return std::make_unique<KvmSnapshot>(KTSTR_TRY(std::move(state)));
}

Result<MachineState> KvmMachine::save(const FrozenState& frozen) {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "snapshot: the machine has ended"};
  for (std::size_t i = 0; i < frozen.vcpus.size(); ++i)
    if (!frozen.vcpus[i])
      return Error{ErrorCode::kTimeout, "snapshot: vCPU " + std::to_string(i) + " did not stop"};
  auto state = KTSTR_TRY(save_machine(parts(), topology_, ram_));
  state.performance = performance_of_fork(placement_.options());
  return state;
}

Result<MachineStatistics> KvmMachine::statistics() {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "statistics: the machine has ended"};
  return statistics_.read(vcpus_);
}

Result<MachineEvent> KvmMachine::wait_event(Duration timeout) {
  std::array<pollfd, 2> ready{{{ending_->fd(), POLLIN, 0}, {dying_.get(), POLLIN, 0}}};
  if (!wait_readable(ready, Clock::now() + timeout.chrono()))
    return Error{ErrorCode::kTimeout, "no event within " + format_duration(timeout)};
  if (ready[0].revents == 0 && !wait_readable(std::span(ready).first(1), Clock::now() + kDeathGrace)) kill();
  conclude();
  const std::lock_guard lock(event_mutex_);
  return *event_;
}

/// Ends every thread of the guest; nothing more is written to the console then.
void KvmMachine::conclude() {
  const std::lock_guard lock(event_mutex_);
  if (event_) return;
  end_vcpus();
  ::shutdown(console_end_.get(), SHUT_WR);
  console_->wait_end();
  event_ = ending_->event(console_->findings().panic);
}

void KvmMachine::end_vcpus() {
  gate_.end();
  const std::lock_guard lock(vcpus_mutex_);
  for (auto& vcpu : vcpus_) vcpu->kick();
  vcpus_.clear();
}

void KvmMachine::kill() {
  if (ending_) ending_->killed();
  end_vcpus();
}

}  // namespace
}  // namespace kvm

Result<std::unique_ptr<Machine>> start_kvm(const MachineConfig& config) {
  return KTSTR_TRY(kvm::KvmMachine::start(config));
}

}  // namespace ktstr::vmm
