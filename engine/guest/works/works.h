// The work types' loops: one overload and one file for each type of engine/scenario/work.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"
#include "engine/guest/group.h"
#include "engine/guest/recorder.h"
#include "engine/guest/stop.h"
#include "engine/scenario/work.h"

namespace ktstr::engine::guest {

/// What a loop works with.
struct WorkContext {
  Recorder& recorder;
  Group& group;
  std::size_t member;  ///< place in the group, from 0
};

/// Each runs until asked to stop; what counts as a work unit and as an iteration is said in the type's file.
/// Errors: a system call that the type can't do without.
Status run(const CpuSpin& work, WorkContext context);
Status run(const YieldHeavy& work, WorkContext context);
Status run(const Mixed& work, WorkContext context);
Status run(const IoSync& work, WorkContext context);
Status run(const Bursty& work, WorkContext context);
Status run(const PipeIo& work, WorkContext context);
Status run(const FutexPingPong& work, WorkContext context);
Status run(const CachePressure& work, WorkContext context);
Status run(const CacheYield& work, WorkContext context);
Status run(const CachePipe& work, WorkContext context);
Status run(const FutexFanOut& work, WorkContext context);
Status run(const Sequence& work, WorkContext context);
Status run(const ForkExit& work, WorkContext context);
Status run(const NiceSweep& work, WorkContext context);
Status run(const AffinityChurn& work, WorkContext context);
Status run(const PolicyChurn& work, WorkContext context);
Status run(const PageFaultChurn& work, WorkContext context);
Status run(const MutexContention& work, WorkContext context);
Status run(const TimerLatency& work, WorkContext context);

/// Burns CPU for so many loop turns.
inline void spin(std::uint32_t turns) {
  for (std::uint32_t i = 0; i < turns; ++i) asm volatile("" : : "r"(i));
}

/// Work units of so many loop turns and what comes with them: with no turns, that is one.
inline std::uint64_t units_of(std::uint64_t turns) {
  return turns == 0 ? 1 : turns;
}

/// Burns CPU until CLOCK_MONOTONIC is `end_ns` or it is asked to stop; counts a work unit for a thousand loop
/// turns.
inline void spin_until(Recorder& recorder, std::uint64_t end_ns) {
  constexpr std::uint32_t kTurns = 1000;
  while (!stopping() && recorder.last_progress_ns() < end_ns) {
    spin(kTurns);
    recorder.work(1);
  }
}

}  // namespace ktstr::engine::guest
