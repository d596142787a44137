#include "vmm/kvm/process_machine.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "vmm/kvm/debug_registers.h"
#include "vmm/kvm/ioctl.h"

namespace ktstr::vmm::kvm {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStopDeadline = std::chrono::seconds(10);

bool wait_readable(std::span<pollfd> fds, Clock::time_point deadline) {
  int count = 0;
  do {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    count =
        ::poll(fds.data(), fds.size(), static_cast<int>(std::clamp<std::int64_t>(left, 0, 1'000'000'000)));
  } while (count < 0 && errno == EINTR);
  return count > 0;
}

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
  frozen_ = {read_registers(stopped)};
  for (std::size_t i = 0; i < stopped.size(); ++i)
    if (!stopped[i]) frozen_.not_stopped.push_back(i);
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
  KTSTR_TRY(check_watchpoints(watchpoints));
  const auto frozen = KTSTR_TRY(freeze(kStopDeadline));
  Status set = ok();
  if (!frozen.all_stopped())
    set = Error{ErrorCode::kTimeout,
                fmt::format("vCPU {} did not stop for a watchpoint", frozen.not_stopped.front())};
  for (std::size_t i = 0; i < frozen.vcpus.size() && set; ++i)
    set = vcpus_[i]->set_debug(debug_registers(watchpoints));
  if (set)
    hits_->watch(watchpoints, [this](const Watchpoint& watchpoint) { return read_watched(watchpoint); });
  KTSTR_TRY(thaw());
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
    KTSTR_TRY(thaw());  // another thread was quicker
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
  KTSTR_TRY(thaw());
  return std::make_unique<KvmSnapshot>(KTSTR_TRY(std::move(state)));
}

Result<MachineState> KvmMachine::save(const FrozenState& frozen) {
  const std::lock_guard vcpus(vcpus_mutex_);
  if (vcpus_.empty()) return Error{ErrorCode::kCancelled, "snapshot: the machine has ended"};
  if (!frozen.all_stopped())
    return Error{ErrorCode::kTimeout,
                 "snapshot: vCPU " + std::to_string(frozen.not_stopped.front()) + " did not stop"};
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
  pollfd ended{ending_->fd(), POLLIN, 0};
  if (!wait_readable(std::span(&ended, 1), Clock::now() + timeout.chrono()))
    return Error{ErrorCode::kTimeout, "no event within " + format_duration(timeout)};
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

}  // namespace ktstr::vmm::kvm
