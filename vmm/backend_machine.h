// BackendMachine: what the machines of all backends do alike.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "engine/base/io.h"
#include "vmm/console.h"
#include "vmm/machine.h"

namespace ktstr::vmm {

/// Freezes nest, hits are handed out one at a time, and an end is told once. A backend says how each is done.
class BackendMachine : public Machine {
 public:
  std::span<const MemoryRegion> memory() const final { return regions_; }
  Result<FrozenState> freeze(Duration deadline) final;
  Status thaw() final;
  Status set_watchpoints(std::span<const Watchpoint> watchpoints) final;
  Result<WatchHit> wait_watch_hit(Duration timeout) final;
  Result<std::unique_ptr<MachineSnapshot>> snapshot(Duration deadline) final;
  int channel_fd() const final { return channel_.get(); }
  std::vector<std::optional<int>> vcpu_thread_ids() const final { return thread_ids_; }
  Result<MachineEvent> wait_event(Duration timeout) final;
  std::string console_tail(std::size_t lines) const final { return console_->tail(lines); }
  ConsoleFindings console_findings() const final { return console_->findings(); }
  std::optional<std::string> console_log_problem() const final { return log_problem(*console_); }

 protected:
  /// Stops a machine that runs.
  virtual Result<FrozenState> stop(Deadline deadline) = 0;
  /// Lets a machine go on that is stopped, unless a hit that nobody has asked for keeps it stopped.
  virtual Status go_on() = 0;
  /// Of a machine that is stopped.
  virtual Status watch(std::span<const Watchpoint> watchpoints, const FrozenState& frozen) = 0;
  /// Whether there is a hit; the machine may run. Not when it has ended.
  virtual Result<bool> has_hit() = 0;
  /// The oldest hit, of a machine that is stopped. Nothing: another thread was quicker.
  virtual std::optional<WatchHit> take_hit() = 0;
  /// Readable when there may be a hit.
  [[nodiscard]] virtual int hit_fd() const = 0;
  /// Of a machine that is stopped.
  virtual Result<std::unique_ptr<MachineSnapshot>> save(const FrozenState& frozen, Deadline deadline) = 0;
  /// Readable once the machine has ended.
  [[nodiscard]] virtual int end_fd() const = 0;
  /// Whether the machine ends until then.
  virtual bool wait_end(Deadline deadline) { return is_readable(end_fd(), deadline); }
  /// Waits for the last words of everything. How it ended.
  virtual MachineEvent conclude() = 0;

  std::vector<MemoryRegion> regions_;
  std::vector<std::optional<int>> thread_ids_;
  Fd channel_;
  std::unique_ptr<Console> console_;
  std::mutex freeze_mutex_;  ///< held by whatever is done to a machine that is stopped

 private:
  std::mutex snapshot_mutex_;
  std::size_t freeze_depth_ = 0;
  FrozenState frozen_;

  std::mutex event_mutex_;
  std::optional<MachineEvent> event_;
};

}  // namespace ktstr::vmm
