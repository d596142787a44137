// Starting threads where there may be no room for another task, and waiting in one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace ktstr {

/// Calls `start`, which begins threads: the library throws where the system has none left. Errors:
/// kUnavailable, what it was for and the limits to look at; kIo, what else the library says.
template <class Start>
[[nodiscard]] auto with_threads(std::string_view what, Start&& start) -> Result<decltype(start())> {
  try {
    return std::forward<Start>(start)();
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      return Error{ErrorCode::kUnavailable, "start a thread for " + std::string(what) +
                                                ": the limit of tasks is reached (ulimit -u, pids.max)"};
    return Error{ErrorCode::kIo, std::string(what) + ": " + error.what()};
  }
}

/// Waits for `time`, or until it is asked to stop; whether it was.
[[nodiscard]] inline bool stopped_within(const std::stop_token& stop, Duration time) {
  std::mutex mutex;
  std::condition_variable_any condition;
  std::unique_lock lock(mutex);
  condition.wait_for(lock, stop, time.chrono(), [] { return false; });
  return stop.stop_requested();
}

}  // namespace ktstr
