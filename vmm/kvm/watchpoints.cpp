#include "vmm/kvm/watchpoints.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <bit>

namespace ktstr::vmm::kvm {
namespace {

constexpr std::uint64_t kDr7Fixed = 0x700;  // bit 10 reads as 1; LE and GE, for exact data breakpoints
constexpr std::uint64_t kBreakOnWrite = 1;
constexpr std::uint64_t kGlobalEnable = 2;
constexpr std::size_t kMaxUntaken = 1024;  // vCPUs stop at a hit, so that there are never many

/// LEN of DR7: 1, 2, 8 and 4 bytes are 0, 1, 2 and 3.
std::uint64_t length_code(std::size_t bytes) {
  return bytes == 8 ? 2 : bytes - 1;
}

}  // namespace

kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints) {
  kvm_guest_debug debug{};
  if (watchpoints.empty()) return debug;
  debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
  auto& dr7 = debug.arch.debugreg[7];
  dr7 = kDr7Fixed;
  for (std::size_t i = 0; i < watchpoints.size(); ++i) {
    debug.arch.debugreg[i] = watchpoints[i].address.value();
    dr7 |= kGlobalEnable << (2 * i);
    dr7 |= (kBreakOnWrite | length_code(watchpoints[i].bytes) << 2) << (16 + 4 * i);
  }
  return debug;
}

Status check_watchpoints(std::span<const Watchpoint> watchpoints) {
  if (watchpoints.size() > Machine::kMaxWatchpoints)
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} watchpoints: the hardware has {}",
                                                          watchpoints.size(), Machine::kMaxWatchpoints)};
  for (const auto& [address, bytes] : watchpoints)
    if (bytes == 0 || bytes > 8 || !std::has_single_bit(bytes) || address.value() % bytes != 0)
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("a watchpoint of {} bytes at {:#x}: it may have 1, 2, 4 or 8, aligned to them",
                               bytes, address.value())};
  return ok();
}

Result<std::unique_ptr<WatchHits>> WatchHits::create() {
  Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error("eventfd");
  return std::unique_ptr<WatchHits>(new WatchHits(std::move(event)));
}

void WatchHits::watch(std::span<const Watchpoint> watchpoints, const ReadValue& read) {
  const std::lock_guard lock(mutex_);
  watchpoints_.assign(watchpoints.begin(), watchpoints.end());
  values_.clear();
  for (const auto& watchpoint : watchpoints_) values_.push_back(read(watchpoint));
  caught_.clear();
  settle_event();
}

bool WatchHits::catches(std::uint64_t dr6) const {
  const std::lock_guard lock(mutex_);
  return dr6 & ((std::uint64_t{1} << watchpoints_.size()) - 1);
}

void WatchHits::add(std::size_t vcpu, std::uint64_t dr6) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < watchpoints_.size(); ++i)
    if ((dr6 >> i & 1) && caught_.size() < kMaxUntaken) caught_.push_back({vcpu, i});
  settle_event();
}

bool WatchHits::empty() const {
  const std::lock_guard lock(mutex_);
  return caught_.empty();
}

std::optional<WatchHit> WatchHits::take(const ReadValue& read) {
  const std::lock_guard lock(mutex_);
  if (caught_.empty()) return std::nullopt;
  const auto [vcpu, index] = caught_.front();
  caught_.pop_front();
  settle_event();
  WatchHit hit{vcpu, watchpoints_[index], values_[index], read(watchpoints_[index])};
  values_[index] = hit.new_value;
  return hit;
}

/// Readable exactly when something was caught.
void WatchHits::settle_event() {
  eventfd_t ignored = 0;
  static_cast<void>(::eventfd_read(event_.get(), &ignored));
  if (!caught_.empty()) ::eventfd_write(event_.get(), 1);
}

}  // namespace ktstr::vmm::kvm
