// GdbWatchpoints: a machine's watchpoints, set through QEMU's GDB stub.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/result.h"
#include "vmm/qemu/gdbstub.h"
#include "vmm/watch_hits.h"

namespace ktstr::vmm::qemu {

/// Not thread-safe, as the stub is not. QEMU stops the machine at a hit by itself.
class GdbWatchpoints {
 public:
  using Deadline = Gdbstub::Deadline;

  /// `stub` must outlive it. Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<GdbWatchpoints>> create(Gdbstub& stub, std::size_t cpus);

  /// Watches these and no others. Precondition: the machine is stopped. Errors: those of check_watchpoints();
  /// kUnavailable when QEMU refuses one, and then none is set.
  [[nodiscard]] Status set(std::span<const Watchpoint> watchpoints, Deadline deadline);

  /// Takes in what the stub has told; the machine may run.
  [[nodiscard]] Status collect();
  /// The same, and finds what QEMU does not tell: when a stop of ours comes between a write and its report,
  /// the report is lost. Precondition: the machine is stopped.
  [[nodiscard]] Status collect_all(Deadline deadline);

  [[nodiscard]] bool any() const { return !set_.empty(); }
  [[nodiscard]] bool caught() const { return !hits_->empty(); }
  /// The oldest hit. Precondition: the machine is stopped.
  [[nodiscard]] std::optional<WatchHit> take(Deadline deadline);

 private:
  GdbWatchpoints(Gdbstub& stub, std::size_t cpus, std::unique_ptr<WatchHits> hits)
      : stub_(stub), cpus_(cpus), hits_(std::move(hits)) {}
  Status insert(std::span<const Watchpoint> watchpoints, Deadline deadline);
  Status remove_all(Deadline deadline);
  std::optional<std::uint64_t> read(const Watchpoint& watchpoint, Deadline deadline) const;

  Gdbstub& stub_;
  const std::size_t cpus_;
  std::unique_ptr<WatchHits> hits_;
  std::vector<Watchpoint> set_;
};

}  // namespace ktstr::vmm::qemu
