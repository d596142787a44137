#include "vmm/kvm/kvm_machine.h"

#include <chrono>

#include "engine/base/io.h"
#include "engine/base/pipe.h"
#include "vmm/apic_id.h"
#include "vmm/kvm/boot.h"
#include "vmm/kvm/cpuid.h"
#include "vmm/kvm/machine_limits.h"
#include "vmm/kvm/process_machine.h"
#include "vmm/memory_plan.h"

namespace ktstr::vmm {
namespace kvm {
namespace {

constexpr auto kStartDeadline = std::chrono::seconds(10);

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

}  // namespace kvm

Result<std::unique_ptr<Machine>> start_kvm(const MachineConfig& config) {
  return KTSTR_TRY(kvm::KvmMachine::start(config));
}

}  // namespace ktstr::vmm
