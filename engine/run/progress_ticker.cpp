#include "engine/run/progress_ticker.h"

#include <algorithm>

namespace ktstr::engine {

using Clock = std::chrono::steady_clock;

ProgressTicker::ProgressTicker(ProgressCallback callback)
    : callback_(std::move(callback)), began_(Clock::now()) {
  if (callback_) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ProgressTicker::begin(const Progress& at) {
  if (!callback_) return;
  const std::lock_guard lock(mutex_);
  stage_ = at;
  began_ = Clock::now();
  tell();
}

/// Precondition: mutex_ is held, which also keeps calls apart.
void ProgressTicker::tell() {
  auto progress = stage_;
  progress.elapsed = Clock::now() - began_;
  if (progress.remaining)
    progress.remaining = Duration(std::max<std::int64_t>(0, progress.remaining->ns - progress.elapsed.ns));
  callback_(progress);
}

void ProgressTicker::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    tell();
    changed_.wait_for(lock, stop, kTick, [] { return false; });
  }
}

}  // namespace ktstr::engine
