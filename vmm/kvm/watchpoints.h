// Watchpoints: x86's debug registers, the same on every vCPU, and what they have caught.
#pragma once

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// What KVM_SET_GUEST_DEBUG is to be given for `watchpoints` (Intel SDM volume 3, 17.2). Precondition: at
/// most Machine::kMaxWatchpoints of valid size and alignment.
[[nodiscard]] kvm_guest_debug debug_registers(std::span<const Watchpoint> watchpoints);

/// Errors (kInvalidArgument): too many, or one that no debug register expresses.
[[nodiscard]] Status check_watchpoints(std::span<const Watchpoint> watchpoints);

/// Thread-safe.
class WatchHits {
 public:
  /// Reads what a watchpoint covers, while the machine stands still.
  using ReadValue = std::function<std::optional<std::uint64_t>(const Watchpoint&)>;

  /// Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<WatchHits>> create();

  /// Readable while there are hits to take.
  [[nodiscard]] int fd() const { return event_.get(); }

  /// From here on these are watched. Drops hits that were not taken. Precondition: the machine stands still.
  void watch(std::span<const Watchpoint> watchpoints, const ReadValue& read);
  /// Whether a debug register of ours is set in `dr6`: if not, the guest has come to a debug exception by
  /// itself.
  [[nodiscard]] bool catches(std::uint64_t dr6) const;
  /// For a vCPU's thread: the debug registers that are set in `dr6` have caught something.
  void add(std::size_t vcpu, std::uint64_t dr6);
  [[nodiscard]] bool empty() const;
  /// The oldest, or nothing. Precondition: the machine stands still.
  [[nodiscard]] std::optional<WatchHit> take(const ReadValue& read);

 private:
  struct Caught {
    std::size_t vcpu = 0;
    std::size_t index = 0;
  };
  explicit WatchHits(Fd event) : event_(std::move(event)) {}
  void settle_event();

  Fd event_;
  mutable std::mutex mutex_;
  std::vector<Watchpoint> watchpoints_;
  std::vector<std::optional<std::uint64_t>> values_;
  std::deque<Caught> caught_;
};

}  // namespace ktstr::vmm::kvm
