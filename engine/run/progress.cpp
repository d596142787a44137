#include "engine/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "engine/base/io.h"

namespace ktstr::engine {
namespace {

constexpr std::string_view kEraseLine = "\r\033[K";

/// A terminal that takes no bytes shows no progress; the run goes on.
void put(int fd, std::string_view text) {
  static_cast<void>(write_all(fd, text));
}

}  // namespace

std::string_view stage_name(Stage stage) {
  constexpr std::string_view kNames[] = {"preparing",  "forking", "booting",    "attaching",
                                         "setting up", "step",    "collecting", "shutting down"};
  return kNames[static_cast<std::size_t>(stage)];
}

std::string to_text(const Progress& progress) {
  if (progress.stage != Stage::kStep)
    return fmt::format("{} {:.1f}s", stage_name(progress.stage), progress.elapsed.seconds());
  std::string text = fmt::format("step {}/{}", progress.step, progress.steps);
  if (progress.remaining) text += fmt::format(", {:.0f}s left", progress.remaining->seconds());
  return text;
}

ProgressLine::ProgressLine(int fd) : fd_(fd), is_terminal_(::isatty(fd) == 1) {}

ProgressLine::~ProgressLine() {
  erase();
}

void ProgressLine::show(const Progress& progress) {
  if (!is_terminal_) return;
  const std::lock_guard lock(mutex_);
  auto text = to_text(progress);
  if (text == shown_) return;
  put(fd_, std::string(kEraseLine) + text);
  shown_ = std::move(text);
}

void ProgressLine::erase() {
  const std::lock_guard lock(mutex_);
  erase_shown();
}

void ProgressLine::write_above(std::string_view text) {
  const std::lock_guard lock(mutex_);
  erase_shown();
  put(fd_, text);
}

/// Precondition: mutex_ is held.
void ProgressLine::erase_shown() {
  if (shown_.empty()) return;
  put(fd_, kEraseLine);
  shown_.clear();
}

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
