// Ending: how a machine came to its end, told by whoever sees it first.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "vmm/machine.h"

namespace ktstr::vmm::kvm {

/// Thread-safe.
class Ending {
 public:
  /// Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<Ending>> create();

  /// Readable once the machine has ended.
  [[nodiscard]] int fd() const { return event_.get(); }

  void guest_exited();  ///< power off, reset or triple fault
  void failed(Error error);
  void killed() { failed({ErrorCode::kCancelled, "the machine was ended by its owner"}); }

  /// The event, when the console has told of `panic`, if at all. Precondition: fd() is readable.
  [[nodiscard]] MachineEvent event(const std::optional<std::string>& panic) const;

 private:
  explicit Ending(Fd event) : event_(std::move(event)) {}
  void settle(std::optional<Error> failure);

  Fd event_;
  mutable std::mutex mutex_;
  bool settled_ = false;
  std::optional<Error> failure_;
};

}  // namespace ktstr::vmm::kvm
