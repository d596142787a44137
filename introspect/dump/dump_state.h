// dump_state: reads everything that a dump holds out of a guest that stands still.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "introspect/bpf/read_limits.h"
#include "introspect/dump/readers.h"
#include "introspect/dump/report.h"
#include "introspect/render/render_context.h"

namespace ktstr::introspect {

/// What a dump is made from. Everything referred to must outlive the call.
struct DumpContext {
  const Kernel& kernel;
  const DumpReaders& readers;  ///< made for `kernel`
  /// By vCPU; empty when nobody asked.
  std::span<const std::optional<VcpuRegSnapshot>> registers{};
  /// From the monitor's samples so far.
  std::vector<EventCounterSample> event_timeline{};
  std::vector<std::optional<VcpuPerfSample>> perf_counters{};
  /// Soft: what has begun is finished, what has not begun by then is left out. Absent: none.
  std::optional<std::chrono::steady_clock::time_point> deadline{};
  MapReadLimits limits{};
  /// Makes the object that resolves pointers, over the one that knows this guest's symbols and arenas. Empty:
  /// that one alone.
  std::function<std::unique_ptr<RenderContext>(const RenderContext& base)> pointer_resolution{};
};

/// Reads, in this order: the scheduler and its exit, run queues and DSQs, tasks, CPU times, pressure, NUMA
/// counters, programs, the active object, arenas with what is allocated in them, maps. Total: a section that
/// can't be read is empty and its reason is in the report. On a guest that runs, parts are of different
/// instants. `origin` holds the kernel's banner and dump_ns; the rest of it is for whoever stopped the guest.
[[nodiscard]] FailureDumpReport dump_state(const DumpContext& context);

}  // namespace ktstr::introspect
