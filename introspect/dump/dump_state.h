// A dump in two steps: everything is read while the guest stands still, and shown by its types afterwards.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "introspect/bpf/contents.h"
#include "introspect/bpf/layouts.h"
#include "introspect/dump/report.h"
#include "introspect/kernel.h"
#include "introspect/machine/cpu_time.h"
#include "introspect/machine/numa.h"
#include "introspect/machine/psi.h"
#include "introspect/render/render_context.h"
#include "introspect/runqueue/runqueue_reader.h"
#include "introspect/scx/exit_reader.h"
#include "introspect/scx/scx_reader.h"
#include "introspect/task/task_reader.h"

namespace ktstr::introspect {

/// Everything that a dump of one kernel reads with, made before the guest is frozen. A reader that
/// this kernel has no place for holds the reason, and its section of a dump stays empty. Const use is
/// thread-safe.
struct DumpReaders {
  explicit DumpReaders(const Kernel& kernel)
      : bpf(BpfLayouts::resolve(kernel.btf())),
        scx(ScxReader::create(kernel)),
        exits(ScxExitReader::create(kernel)),
        runqueues(RunqueueReader::create(kernel)),
        tasks(TaskReader::create(kernel)),
        cpu_time(CpuTimeReader::create(kernel)),
        psi(PsiReader::create(kernel)),
        numa(NumaReader::create(kernel)) {}

  Result<BpfLayouts> bpf;
  Result<ScxReader> scx;
  Result<ScxExitReader> exits;
  Result<RunqueueReader> runqueues;
  Result<TaskReader> tasks;
  Result<CpuTimeReader> cpu_time;
  Result<PsiReader> psi;
  Result<NumaReader> numa;
};

class CapturedMaps;

/// Bytes of raw contents that one dump keeps. Shown as text they are three times as much.
inline constexpr std::uint64_t kMaxDumpBytes = std::uint64_t{128} << 20;

/// What a dump is made from. Everything referred to must outlive the call; kernel and readers, also what is
/// captured.
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
  /// Of what is kept of maps, types, arenas and what pointers lead to, all together.
  std::uint64_t max_bytes = kMaxDumpBytes;
  /// Makes the object that resolves pointers, over the one that knows this guest's symbols and arenas, whose
  /// memory is the only one to read: it is asked again after the guest runs. Empty: that one alone.
  std::function<std::unique_ptr<RenderContext>(const RenderContext& base)> pointer_resolution{};
};

/// One guest at one instant: a report, and maps as raw bytes that are not in it yet. Movable.
class CapturedState {
 public:
  CapturedState(FailureDumpReport report, std::unique_ptr<CapturedMaps> maps);
  CapturedState(CapturedState&&) noexcept;
  CapturedState& operator=(CapturedState&&) noexcept;
  ~CapturedState();

 private:
  friend FailureDumpReport render_state(CapturedState state);
  FailureDumpReport report_;
  std::unique_ptr<CapturedMaps> maps_;  ///< null: this kernel has no BPF that can be read
};

/// Reads, in this order: the scheduler and its exit, run queues and DSQs, tasks, CPU times, pressure, NUMA
/// counters, programs, the active object, arenas with what is allocated in them, maps. Total: a section that
/// can't be read, or for which memory runs out here, is empty and its reason is in the report. Precondition:
/// the guest stands still. `origin` holds the kernel's banner and dump_ns; the rest of it is for whoever
/// stopped the guest.
[[nodiscard]] CapturedState capture_state(const DumpContext& context);

/// The report of it. Reads no guest memory: the guest may run, change or be gone.
[[nodiscard]] FailureDumpReport render_state(CapturedState state);

/// Both, for memory that stands still anyway.
[[nodiscard]] FailureDumpReport dump_state(const DumpContext& context);

}  // namespace ktstr::introspect
