// WatchHits: what the watchpoints of a machine have caught.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

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
  /// Whether `which` (bit i: watchpoint i, as in DR6) has a watchpoint.
  [[nodiscard]] bool catches(std::uint64_t which) const;
  /// Each watchpoint in `which` has caught a write of this vCPU.
  void add(std::size_t vcpu, std::uint64_t which);
  /// The watchpoint at this address has. No watchpoint there: nothing.
  void add(std::size_t vcpu, KernelVirt address);
  /// Counts what has changed since it was last read, and was not caught, as caught from an unknown vCPU.
  /// Precondition: the machine stands still.
  void add_missed(const ReadValue& read);
  [[nodiscard]] bool empty() const;
  /// The oldest, or nothing. Precondition: the machine stands still.
  [[nodiscard]] std::optional<WatchHit> take(const ReadValue& read);

 private:
  struct Caught {
    std::optional<std::size_t> vcpu;
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

}  // namespace ktstr::vmm
