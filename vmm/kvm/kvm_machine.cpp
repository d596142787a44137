#include "vmm/kvm/kvm_machine.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "vmm/apic_id.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/ioctl.h"
#include "vmm/memory_plan.h"

namespace ktstr::vmm::kvm {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(10);

class KvmSnapshot final : public MachineSnapshot {
 public:
  explicit KvmSnapshot(MachineState state) : state_(std::move(state)) {}
  Result<std::unique_ptr<Machine>> fork(const std::filesystem::path& console_log) const override {
    return KTSTR_TRY(KvmMachine::fork(state_, console_log));
  }

 private:
  const MachineState state_;
};

}  // namespace

Result<std::unique_ptr<KvmMachine>> KvmMachine::start(const MachineConfig& config) {
  KTSTR_TRY(check_topology(config.topology));
  const auto banks = KTSTR_TRY(plan_banks(config));
  auto placement = KTSTR_TRY(HostPlacement::plan(config.performance, config.topology));
  auto ram = KTSTR_TRY(GuestRam::create(banks, placement.ram()));
  std::unique_ptr<KvmMachine> machine(new KvmMachine(config.topology, std::move(placement), std::move(ram)));
  KTSTR_TRY(machine->assemble(config.console_log));
  KTSTR_TRY(machine->load(config));
  KTSTR_TRY(machine->begin());
  return machine;
}

Result<std::unique_ptr<KvmMachine>> KvmMachine::fork(const MachineState& state,
                                                     const std::filesystem::path& console_log) {
  auto placement = KTSTR_TRY(HostPlacement::plan(state.performance, state.topology));
  auto ram = KTSTR_TRY(GuestRam::copy_on_write(state.ram));
  std::unique_ptr<KvmMachine> machine(new KvmMachine(state.topology, std::move(placement), std::move(ram)));
  KTSTR_TRY(machine->assemble(console_log));
  KTSTR_TRY(machine->restore(state));
  KTSTR_TRY(machine->begin());
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
  vm_ = KTSTR_TRY(Vm::create(kvm, regions_, topology_.cpus(), largest_apic_id(topology_)));
  if (const auto longest = placement_.options().halt_poll) KTSTR_TRY(vm_->limit_halt_polling(kvm, *longest));
  KTSTR_TRY(connect(console_log));
  return make_vcpus(kvm);
}

Status KvmMachine::load(const MachineConfig& config) {
  const auto entry = KTSTR_TRY(load_guest(config, ram_, ram_parts_));
  for (const auto& vcpu : vcpus_) KTSTR_TRY(vcpu->set_up());
  return vcpus_[0]->set_boot_registers(entry.entry, entry.boot_params);
}

Status KvmMachine::restore(const MachineState& state) {
  devices_->pause();
  KTSTR_TRY(restore_machine(parts(), state));
  tell_clocks();
  devices_->resume();
  return ok();
}

Status KvmMachine::begin() {
  for (auto& vcpu : vcpus_) vcpu->start();
  static_cast<void>(gate_.wait_all(std::chrono::steady_clock::now() + kStartDeadline));
  for (auto& vcpu : vcpus_) thread_ids_.emplace_back(vcpu->thread_id());
  KTSTR_TRY(placement_.place(thread_ids_));
  gate_.open();
  return ok();
}

Status KvmMachine::connect(const std::filesystem::path& console_log) {
  ending_ = KTSTR_TRY(Ending::create());
  hits_ = KTSTR_TRY(WatchHits::create());
  auto console = KTSTR_TRY(make_socket_pair());
  auto channel = KTSTR_TRY(make_socket_pair());
  console_ = KTSTR_TRY(Console::open(std::move(console.ours), console_log));
  console_end_ = std::move(console.theirs);
  channel_ = std::move(channel.ours);
  devices_ = KTSTR_TRY(MachineDevices::create(
      *vm_, *guest_memory_,
      {.console =
           [fd = console_end_.get()](std::string_view bytes) { static_cast<void>(send_all(fd, bytes)); },
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
    KTSTR_TRY(vcpu->set_cpuid(guest_cpuid(supported, topology_, cpu, options)));
    vcpus_.push_back(std::move(vcpu));
  }
  statistics_.open(vm_->fd(), vcpus_);
  return ok();
}

Result<FrozenState> KvmMachine::stop(Deadline deadline) {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "the machine has ended"};
  gate_.close();
  for (auto& vcpu : vcpus_) vcpu->kick();
  const auto stopped = gate_.wait_all(deadline);
  devices_->pause();
  FrozenState frozen{read_registers(stopped)};
  for (std::size_t i = 0; i < stopped.size(); ++i)
    if (!stopped[i]) frozen.not_stopped.push_back(i);
  return frozen;
}

std::vector<std::optional<VcpuRegisters>> KvmMachine::read_registers(const std::vector<bool>& stopped) const {
  std::vector<std::optional<VcpuRegisters>> registers(vcpus_.size());
  for (std::size_t i = 0; i < vcpus_.size(); ++i) {
    if (!stopped[i]) continue;
    if (auto read = vcpus_[i]->registers()) registers[i] = *read;
  }
  return registers;
}

Status KvmMachine::go_on() {
  const std::lock_guard vcpus(vcpus_mutex_);
  tell_clocks();
  devices_->resume();
  if (hits_->empty()) gate_.open();
  return ok();
}

Status KvmMachine::watch(std::span<const Watchpoint> watchpoints, const FrozenState& frozen) {
  if (!frozen.all_stopped())
    return Error{ErrorCode::kTimeout,
                 fmt::format("vCPU {} did not stop for a watchpoint", frozen.not_stopped.front())};
  for (std::size_t i = 0; i < frozen.vcpus.size(); ++i)
    KTSTR_TRY(vcpus_[i]->set_debug(debug_registers(watchpoints)));
  hits_->watch(watchpoints, [this](const Watchpoint& watchpoint) { return read_watched(watchpoint); });
  return ok();
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

Result<bool> KvmMachine::has_hit() {
  return !is_readable(ending_->fd()) && !hits_->empty();
}

std::optional<WatchHit> KvmMachine::take_hit() {
  return hits_->take([this](const Watchpoint& watchpoint) { return read_watched(watchpoint); });
}

/// The guest's lockup detectors learn that it was not running (KVM_KVMCLOCK_CTRL). A vCPU whose kvm-clock is
/// not in use yet has nobody to tell.
void KvmMachine::tell_clocks() const {
  for (const auto& vcpu : vcpus_)
    static_cast<void>(kvm_ioctl(vcpu->fd(), KVM_KVMCLOCK_CTRL, "KVM_KVMCLOCK_CTRL", 0));
}

Result<std::unique_ptr<MachineSnapshot>> KvmMachine::save(const FrozenState& frozen, Deadline) {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "the machine has ended"};
  if (!frozen.all_stopped())
    return Error{ErrorCode::kTimeout, fmt::format("vCPU {} did not stop", frozen.not_stopped.front())};
  auto state = KTSTR_TRY(save_machine(parts(), topology_, ram_));
  state.performance = performance_of_fork(placement_.options());
  return std::make_unique<KvmSnapshot>(std::move(state));
}

Result<MachineStatistics> KvmMachine::statistics() {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "statistics: the machine has ended"};
  return statistics_.read(vcpus_);
}

/// Ends every thread of the guest; nothing more is written to the console then.
MachineEvent KvmMachine::conclude() {
  end_vcpus();
  ::shutdown(console_end_.get(), SHUT_WR);
  console_->wait_end();
  return ending_->event(console_->findings().panic);
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

}  // namespace ktstr::vmm::kvm
