// Work types: what a worker does, with its parameters. One struct a type; the scenario, the agent and the
// docs share it.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/units.h"

namespace ktstr::engine {

struct CpuSpin {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("cpu_spin", "burns CPU without a pause",
                  field<&CpuSpin::iterations>("loop turns between two checks of the stop flag"));
  }
};
struct YieldHeavy {
  static consteval auto describe() {
    return record<YieldHeavy>("yield_heavy", "calls sched_yield in a loop");
  }
};
struct Mixed {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("mixed", "spins, then yields, in a loop",
                  field<&Mixed::iterations>("loop turns before each sched_yield"));
  }
};
struct IoSync {
  ByteSize write_size{64 * 1024};
  Duration sleep = std::chrono::microseconds(100);

  static consteval auto describe() {
    using T = IoSync;
    return record("io_sync", "writes to a file, then sleeps, in a loop",
                  field<&T::write_size>("bytes of each write"), field<&T::sleep>("pause after each write"));
  }
};
struct Bursty {
  Duration burst = std::chrono::milliseconds(50);
  Duration sleep = std::chrono::milliseconds(100);

  static consteval auto describe() {
    using T = Bursty;
    return record("bursty", "burns CPU for a burst, then sleeps",
                  field<&T::burst>("length of a burst (wall time)"),
                  field<&T::sleep>("pause after each burst"));
  }
};
struct PipeIo {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("pipe_io", "pairs that spin, then pass a byte over a pipe to each other",
                  field<&PipeIo::iterations>("loop turns before each hand-over"));
  }
};
struct FutexPingPong {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("futex_ping_pong", "pairs that spin, then wake each other through a futex",
                  field<&FutexPingPong::iterations>("loop turns before each wake-up"));
  }
};
struct CachePressure {
  ByteSize size{32 * 1024};
  std::uint32_t stride = 64;

  static consteval auto describe() {
    using T = CachePressure;
    return record("cache_pressure", "strides over a buffer, reading and writing",
                  field<&T::size>("bytes of the buffer"), field<&T::stride>("bytes between two touches"));
  }
};
struct CacheYield {
  ByteSize size{32 * 1024};
  std::uint32_t stride = 64;

  static consteval auto describe() {
    using T = CacheYield;
    return record("cache_yield", "strides over a buffer, then yields, in a loop",
                  field<&T::size>("bytes of the buffer"), field<&T::stride>("bytes between two touches"));
  }
};
struct CachePipe {
  ByteSize size{32 * 1024};
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    using T = CachePipe;
    return record("cache_pipe", "pairs that stride over a buffer, then pass a byte over a pipe",
                  field<&T::size>("bytes of each worker's buffer"),
                  field<&T::iterations>("touches before each hand-over"));
  }
};
struct FutexFanOut {
  std::uint32_t receivers = 4;
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    using T = FutexFanOut;
    return record("futex_fan_out", "groups of one messenger and n receivers on one futex",
                  field<&T::receivers>("receivers of each group"),
                  field<&T::iterations>("loop turns of the messenger before each wake-up"));
  }
};
struct SpinPhase {
  Duration duration = std::chrono::milliseconds(10);

  static consteval auto describe() {
    return record("spin", "burns CPU", field<&SpinPhase::duration>("length (wall time)"));
  }
};
struct SleepPhase {
  Duration duration = std::chrono::milliseconds(10);

  static consteval auto describe() {
    return record("sleep", "sleeps", field<&SleepPhase::duration>("length (wall time)"));
  }
};
struct YieldPhase {
  Duration duration = std::chrono::milliseconds(10);

  static consteval auto describe() {
    return record("yield", "calls sched_yield", field<&YieldPhase::duration>("length (wall time)"));
  }
};
struct IoPhase {
  Duration duration = std::chrono::milliseconds(10);

  static consteval auto describe() {
    return record("io", "writes to a file", field<&IoPhase::duration>("length (wall time)"));
  }
};
using Phase = std::variant<SpinPhase, SleepPhase, YieldPhase, IoPhase>;
struct Sequence {
  std::vector<Phase> phases;

  static consteval auto describe() {
    return record("sequence", "goes through phases in order, over and over",
                  field<&Sequence::phases>("spin, sleep, yield and io phases, at least one"));
  }
};
struct ForkExit {
  static consteval auto describe() {
    return record<ForkExit>("fork_exit", "forks a child that exits at once, waits for it, in a loop");
  }
};
struct NiceSweep {
  std::int32_t lowest = -20;
  std::int32_t highest = 19;
  std::uint32_t iterations = 512;

  static consteval auto describe() {
    using T = NiceSweep;
    return record("nice_sweep", "spins and walks through the nice values",
                  field<&T::lowest>("first nice value"), field<&T::highest>("last nice value"),
                  field<&T::iterations>("loop turns at each value"));
  }
};
struct AffinityChurn {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("affinity_churn", "spins and pins itself to one random allowed CPU after another",
                  field<&AffinityChurn::iterations>("loop turns between two changes"));
  }
};
struct PolicyChurn {
  std::uint32_t iterations = 1024;

  static consteval auto describe() {
    return record("policy_churn", "spins and cycles through the scheduling policies it may use",
                  field<&PolicyChurn::iterations>("loop turns between two changes"));
  }
};
struct PageFaultChurn {
  ByteSize size{4096 * 1024};
  std::uint32_t touches = 256;
  std::uint32_t spin = 64;

  static consteval auto describe() {
    using T = PageFaultChurn;
    return record("page_fault_churn", "maps a region, touches random pages, drops it, in a loop",
                  field<&T::size>("bytes of the region"),
                  field<&T::touches>("pages touched before the region is dropped"),
                  field<&T::spin>("loop turns between two touches"));
  }
};
struct MutexContention {
  std::uint32_t contenders = 4;
  std::uint32_t hold = 256;
  std::uint32_t work = 1024;

  static consteval auto describe() {
    using T = MutexContention;
    return record(
        "mutex_contention", "groups that fight for one mutex", field<&T::contenders>("workers of each group"),
        field<&T::hold>("loop turns with the mutex held"), field<&T::work>("loop turns without it"));
  }
};
struct TimerLatency {
  Duration interval = std::chrono::milliseconds(1);

  static consteval auto describe() {
    return record("timer_latency", "sleeps until one moment after another, as cyclictest does",
                  field<&TimerLatency::interval>("between two moments (wall time)"));
  }
};

using Work = std::variant<CpuSpin, YieldHeavy, Mixed, IoSync, Bursty, PipeIo, FutexPingPong, CachePressure,
                          CacheYield, CachePipe, FutexFanOut, Sequence, ForkExit, NiceSweep, AffinityChurn,
                          PolicyChurn, PageFaultChurn, MutexContention, TimerLatency>;

/// What a worker takes of its guest's memory beside what its work uses, as bench_workers measures it: 44 KB
/// of page tables, 16 KB of kernel stack, 25 KB of the kernel's structures, 15 KB of pages.
inline constexpr std::uint64_t kWorkerBytes = 100 << 10;

/// Workers of this type start in groups of this size; the worker count must be a multiple of it.
[[nodiscard]] std::size_t work_group_size(const Work& work);

/// What a group's member (from 0) does that others don't: "messenger" or "receiver"; empty where all do the
/// same. Only workers of one role are compared.
[[nodiscard]] std::string work_role(const Work& work, std::size_t member);

}  // namespace ktstr::engine
