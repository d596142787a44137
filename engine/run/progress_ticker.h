// ProgressTicker: tells a callback regularly what a run is doing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/run/progress.h"

namespace ktstr::engine {

/// Calls back from a thread of its own, ten times a second, and never after the destructor has returned. Does
/// nothing when there is no callback.
class ProgressTicker {
 public:
  explicit ProgressTicker(ProgressCallback callback);
  ~ProgressTicker() = default;
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;

  /// A stage begins; times are counted from now on. `at.remaining` is what remains now. Calls back before it
  /// returns.
  void begin(const Progress& at);

 private:
  static constexpr std::chrono::milliseconds kTick{100};

  void run(const std::stop_token& stop);
  void tell();

  ProgressCallback callback_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  Progress stage_;
  std::chrono::steady_clock::time_point began_;
  std::jthread thread_;  ///< last: it uses everything above
};

}  // namespace ktstr::engine
