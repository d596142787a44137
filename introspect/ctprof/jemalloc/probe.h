// The probe of jemalloc's per-thread counters, over a whole capture.
#pragma once

#include <chrono>
#include <filesystem>

#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

struct ProbeLimits {
  std::chrono::milliseconds for_files{5000};  ///< of one process
  int deaths = 20;                            ///< of children over files; then the rest is not probed
};

/// Fills allocated_bytes and deallocated_bytes of the capture's threads whose processes run jemalloc, and
/// probe_summary. Each such thread is stopped for a moment (TracedThread); none of this process's is. `proc`:
/// where the capture was read from, which must be this machine's. What belongs to other processes is looked
/// at by a child (prober.h): whatever they do to it, they lose their own counters by it and nobody else's.
void probe_jemalloc(const std::filesystem::path& proc, Snapshot& snapshot, const ProbeLimits& limits = {});

}  // namespace ktstr::introspect::ctprof
