// PauseGate: where vCPU threads wait while the machine stands still.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <vector>

namespace ktstr::vmm::kvm {

/// Closed by the one who pauses the machine, passed by each vCPU's thread whenever it comes out of the guest.
/// Thread-safe.
class PauseGate {
 public:
  /// Closed at first: no vCPU runs before open().
  explicit PauseGate(std::size_t vcpus) : waiting_(vcpus, false) {}

  /// For vCPU `index`'s thread: waits while the gate is closed, then runs `before_passing` (no close() comes
  /// between it and the return). False when the thread is to end.
  template <class Action>
  [[nodiscard]] bool pass(std::size_t index, Action before_passing) {
    std::unique_lock lock(mutex_);
    waiting_[index] = true;
    arrived_.notify_all();
    opened_.wait(lock, [&] { return !closed_ || ended_; });
    waiting_[index] = false;
    before_passing();
    return !ended_;
  }

  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    closed_ = false;
    opened_.notify_all();
  }
  /// Every thread ends at the gate from now on.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    opened_.notify_all();
  }

  /// Waits until every vCPU stands at the gate, or the deadline; which ones do.
  [[nodiscard]] std::vector<bool> wait_all(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, deadline, [&] {
      for (const bool here : waiting_)
        if (!here) return false;
      return true;
    });
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_, arrived_;
  std::vector<bool> waiting_;
  bool closed_ = true;
  bool ended_ = false;
};

}  // namespace ktstr::vmm::kvm
