#include "vmm/kvm/process_machine.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>

#include "vmm/kvm/debug_registers.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

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
