// The probe of jemalloc's per-thread counters, over a whole capture.
#pragma once

#include <filesystem>

#include "introspect/ctprof/snapshot.h"

namespace ktstr::introspect::ctprof {

/// Fills allocated_bytes and deallocated_bytes of the capture's threads whose processes run jemalloc, and
/// probe_summary. Each such thread is stopped for a moment (TracedThread); none of this process's is. `proc`:
/// where the capture was read from, which must be this machine's. Files are read by up to `workers` threads.
void probe_jemalloc(const std::filesystem::path& proc, Snapshot& snapshot, unsigned workers);

}  // namespace ktstr::introspect::ctprof
