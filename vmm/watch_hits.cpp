#include "vmm/watch_hits.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <bit>

namespace ktstr::vmm {
namespace {

constexpr std::size_t kMaxUntaken = 1024;  // vCPUs stop at a hit, so that there are never many

}  // namespace

Status check_watchpoints(std::span<const Watchpoint> watchpoints) {
  if (watchpoints.size() > Machine::kMaxWatchpoints)
    return invalid_argument(
        fmt::format("{} watchpoints: the hardware has {}", watchpoints.size(), Machine::kMaxWatchpoints));
  for (const auto& [address, bytes] : watchpoints)
    if (bytes == 0 || bytes > 8 || !std::has_single_bit(bytes) || address.value() % bytes != 0)
      return invalid_argument(
          fmt::format("a watchpoint of {} bytes at {:#x}: it may have 1, 2, 4 or 8, aligned to them", bytes,
                      address.value()));
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

bool WatchHits::catches(std::uint64_t which) const {
  const std::lock_guard lock(mutex_);
  return which & ((std::uint64_t{1} << watchpoints_.size()) - 1);
}

void WatchHits::add(std::size_t vcpu, std::uint64_t which) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < watchpoints_.size(); ++i)
    if ((which >> i & 1) && caught_.size() < kMaxUntaken) caught_.push_back({vcpu, i});
  settle_event();
}

void WatchHits::add(std::size_t vcpu, KernelVirt address) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(watchpoints_, address, &Watchpoint::address);
  if (found == watchpoints_.end() || caught_.size() == kMaxUntaken) return;
  caught_.push_back({vcpu, static_cast<std::size_t>(found - watchpoints_.begin())});
  settle_event();
}

void WatchHits::add_missed(const ReadValue& read) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < watchpoints_.size(); ++i) {
    const bool caught = std::ranges::find(caught_, i, &Caught::index) != caught_.end();
    if (!caught && read(watchpoints_[i]) != values_[i]) caught_.push_back({std::nullopt, i});
  }
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

}  // namespace ktstr::vmm
