// Capturing a profile of every thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "engine/base/result.h"
#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

struct CaptureOptions {
  std::filesystem::path proc = "/proc";
  /// The cgroup v2 hierarchy; when absent, where this machine has mounted it.
  std::optional<std::filesystem::path> cgroup{};
  std::filesystem::path sys = "/sys";
  /// Whether these are the machine's own: then threads are asked for by system calls too. False for a staged
  /// tree.
  bool live = true;
  /// Only this process's threads.
  std::optional<std::int32_t> pid{};
  /// How many threads read; 0: as the load leaves room for.
  unsigned workers = 0;
  /// Whether a reader sleeps after each thread for as long as it has read: for one with a real-time priority,
  /// whose CPU would be taken from all others meanwhile.
  bool rests = false;
};

/// Reads everything below the roots. What can't be read is absent and counted; threads that end meanwhile are
/// left out. Errors: kNotFound, `proc` is not there, or has no such process; kUnavailable, it holds no
/// process at all.
[[nodiscard]] Result<Snapshot> capture(const CaptureOptions& options);

/// How many threads would read: as the options say, or the load leaves room for.
[[nodiscard]] unsigned worker_count(const CaptureOptions& options);

/// How many threads may read on a machine of so many CPUs under such a load: what the load leaves idle, at
/// least one, at most half of the CPUs and one.
[[nodiscard]] unsigned capture_workers(unsigned cpus, double load);

}  // namespace ktstr::introspect::ctprof
