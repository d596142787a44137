// RecordingInterrupts: message-signalled interrupts that a test counts and waits for.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "vmm/kvm/devices/interrupt.h"

namespace ktstr::vmm::kvm::test {

class RecordingInterrupts : public MessageInterrupts {
 public:
  void program(std::uint16_t vector, const MsixMessage& message) override {
    const std::lock_guard lock(mutex_);
    programmed_.emplace_back(vector, message);
  }
  void signal(std::uint16_t vector) override {
    {
      const std::lock_guard lock(mutex_);
      ++signalled_[vector];
      ++total_;
    }
    changed_.notify_all();
  }

  [[nodiscard]] int count(std::uint16_t vector) {
    const std::lock_guard lock(mutex_);
    return signalled_[vector];
  }
  [[nodiscard]] std::vector<std::pair<std::uint16_t, MsixMessage>> programmed() {
    const std::lock_guard lock(mutex_);
    return programmed_;
  }
  /// Looks at `condition` after each interrupt, without a lock. False when it does not come true for a long
  /// time.
  template <class Condition>
  [[nodiscard]] bool wait_until(Condition condition) {
    for (std::uint64_t seen = total();; seen = total()) {
      if (condition()) return true;
      std::unique_lock lock(mutex_);
      if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return total_ != seen; })) return false;
    }
  }

 private:
  [[nodiscard]] std::uint64_t total() {
    const std::lock_guard lock(mutex_);
    return total_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::uint16_t, MsixMessage>> programmed_;
  std::map<std::uint16_t, int> signalled_;
  std::uint64_t total_ = 0;
};

}  // namespace ktstr::vmm::kvm::test
