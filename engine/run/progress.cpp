#include "engine/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

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
  switch (stage) {
    case Stage::kPreparing:
      return "preparing";
    case Stage::kForking:
      return "forking";
    case Stage::kBooting:
      return "booting";
    case Stage::kAttaching:
      return "attaching";
    case Stage::kSetup:
      return "setting up";
    case Stage::kStep:
      return "step";
    case Stage::kCollecting:
      return "collecting";
    case Stage::kShutdown:
      return "shutting down";
  }
  return "?";
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

}  // namespace ktstr::engine
