// Progress: what a run is doing, for the line that a person watches.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "engine/base/units.h"

namespace ktstr::engine {

enum class Stage { kPreparing, kForking, kBooting, kAttaching, kSetup, kStep, kCollecting, kShutdown };

/// "booting", "step", "setting up".
[[nodiscard]] std::string_view stage_name(Stage stage);

struct Progress {
  Stage stage = Stage::kPreparing;
  Duration elapsed{};    ///< since the stage began
  std::size_t step = 0;  ///< from 1, in stage kStep only
  std::size_t steps = 0;
  std::optional<Duration> remaining{};  ///< hold time left of all steps, in stage kStep only
};

using ProgressCallback = std::function<void(const Progress&)>;

/// "booting 3.2s", "step 2/3, 4s left".
[[nodiscard]] std::string to_text(const Progress& progress);

/// One line on a terminal, rewritten in place and erased at the end; nothing is shown when the fd is no
/// terminal. Any thread may call.
class ProgressLine {
 public:
  explicit ProgressLine(int fd);
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress);
  /// Makes room for other output; the next show() writes the line again.
  void erase();
  /// Writes other output, whole lines, in place of the line; the next show() writes it again below.
  void write_above(std::string_view text);

 private:
  void erase_shown();

  std::mutex mutex_;
  int fd_;
  bool is_terminal_;
  std::string shown_;
};

/// Tells a callback regularly what a run is doing. Calls back from a thread of its own, ten times a second,
/// and never after the destructor has returned. Does nothing when there is no callback.
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
