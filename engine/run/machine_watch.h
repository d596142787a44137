// MachineWatch: notices the machine's end and the user's wish to stop, and makes both pollable.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "vmm/machine.h"

namespace ktstr::engine {

/// Whether the user wants to stop: `stop_fd` is readable. -1: nobody can.
[[nodiscard]] bool is_stop_requested(int stop_fd);

class MachineWatch {
 public:
  /// `machine` must outlive the watch. `stop_fd`: readable when the user wants to stop; -1: nobody can.
  /// Errors: kIo.
  [[nodiscard]] static Result<std::unique_ptr<MachineWatch>> start(vmm::Machine& machine, int stop_fd);
  /// Returns soon when the machine has ended, within kSlice otherwise.
  ~MachineWatch();
  MachineWatch(const MachineWatch&) = delete;
  MachineWatch& operator=(const MachineWatch&) = delete;

  /// Readable as soon as the machine ended or the user wants to stop, from then on.
  [[nodiscard]] int fd() const { return epoll_.get(); }
  /// Whether the user wants to stop.
  [[nodiscard]] bool stop_requested() const { return is_stop_requested(stop_fd_); }
  /// How the machine ended, if it did.
  [[nodiscard]] std::optional<vmm::MachineEvent> event() const;

  /// Waits until fd() is readable. False at the timeout.
  [[nodiscard]] bool wait(Duration timeout) const;
  /// Waits for the machine's end, whatever the user wants.
  [[nodiscard]] std::optional<vmm::MachineEvent> wait_event(Duration timeout) const;

 private:
  static constexpr Duration kSlice = std::chrono::milliseconds(200);

  MachineWatch(vmm::Machine& machine, int stop_fd);
  [[nodiscard]] Status open();
  void run(const std::stop_token& stop);

  vmm::Machine& machine_;
  int stop_fd_;
  Fd ended_;  ///< eventfd
  Fd epoll_;  ///< of ended_ and stop_fd_
  mutable std::mutex mutex_;
  std::optional<vmm::MachineEvent> event_;
  std::jthread thread_;  ///< last: it uses everything above
};

}  // namespace ktstr::engine
