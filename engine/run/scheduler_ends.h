// SchedulerEnds: tells a run that a scheduler ended although nobody had asked it to.
#pragma once

#include <mutex>
#include <optional>

#include "engine/base/fd.h"
#include "engine/base/units.h"

namespace ktstr::engine {

/// Safe from several threads.
class SchedulerEnds {
 public:
  SchedulerEnds();

  /// An end that was seen at `moment`, since the machine's start.
  void add(Duration moment);
  /// The first one since the last call.
  [[nodiscard]] std::optional<Duration> take();
  /// Readable while there is one that was not taken. -1: nothing can be waited for.
  [[nodiscard]] int fd() const { return event_.get(); }

 private:
  Fd event_;
  std::mutex mutex_;
  std::optional<Duration> first_;
};

}  // namespace ktstr::engine
