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

/// Spins `iterations` empty loop turns between two checks of the stop flag.
struct CpuSpin {
  std::uint32_t iterations = 1024;
};
struct YieldHeavy {};
struct Mixed {
  std::uint32_t iterations = 1024;
};
struct IoSync {
  ByteSize write_size{64 * 1024};
  Duration sleep = std::chrono::microseconds(100);
};
struct Bursty {
  Duration burst = std::chrono::milliseconds(50);
  Duration sleep = std::chrono::milliseconds(100);
};
/// Workers come in pairs.
struct PipeIo {
  std::uint32_t iterations = 1024;
};
/// Workers come in pairs.
struct FutexPingPong {
  std::uint32_t iterations = 1024;
};
struct CachePressure {
  ByteSize size{32 * 1024};
  std::uint32_t stride = 64;
};
struct CacheYield {
  ByteSize size{32 * 1024};
  std::uint32_t stride = 64;
};
/// Workers come in pairs.
struct CachePipe {
  ByteSize size{32 * 1024};
  std::uint32_t iterations = 1024;
};
/// Workers come in groups of receivers + 1.
struct FutexFanOut {
  std::uint32_t receivers = 4;
  std::uint32_t iterations = 1024;
};
struct SpinPhase {
  Duration duration = std::chrono::milliseconds(10);
};
struct SleepPhase {
  Duration duration = std::chrono::milliseconds(10);
};
struct YieldPhase {
  Duration duration = std::chrono::milliseconds(10);
};
struct IoPhase {
  Duration duration = std::chrono::milliseconds(10);
};
using Phase = std::variant<SpinPhase, SleepPhase, YieldPhase, IoPhase>;
struct Sequence {
  std::vector<Phase> phases;
};
struct ForkExit {};
struct NiceSweep {
  std::int32_t lowest = -20;
  std::int32_t highest = 19;
  std::uint32_t iterations = 512;
};
struct AffinityChurn {
  std::uint32_t iterations = 1024;
};
struct PolicyChurn {
  std::uint32_t iterations = 1024;
};
struct PageFaultChurn {
  ByteSize size{4096 * 1024};
  std::uint32_t touches = 256;
  std::uint32_t spin = 64;
};
/// Workers come in groups of `contenders`.
struct MutexContention {
  std::uint32_t contenders = 4;
  std::uint32_t hold = 256;
  std::uint32_t work = 1024;
};

using Work = std::variant<CpuSpin, YieldHeavy, Mixed, IoSync, Bursty, PipeIo, FutexPingPong, CachePressure,
                          CacheYield, CachePipe, FutexFanOut, Sequence, ForkExit, NiceSweep, AffinityChurn,
                          PolicyChurn, PageFaultChurn, MutexContention>;

/// Workers of this type start in groups of this size; the worker count must be a multiple of it.
[[nodiscard]] std::size_t work_group_size(const Work& work);

/// What a group's member (from 0) does that others don't: "messenger" or "receiver"; empty where all do the
/// same. Only workers of one role are compared.
[[nodiscard]] std::string work_role(const Work& work, std::size_t member);

}  // namespace ktstr::engine

namespace ktstr {
// clang-format off
template <> inline constexpr auto describe<engine::CpuSpin> = record<engine::CpuSpin>("cpu_spin", "burns CPU without a pause",
    field("iterations", &engine::CpuSpin::iterations, "loop turns between two checks of the stop flag"));
template <> inline constexpr auto describe<engine::YieldHeavy> = record<engine::YieldHeavy>("yield_heavy", "calls sched_yield in a loop");
template <> inline constexpr auto describe<engine::Mixed> = record<engine::Mixed>("mixed", "spins, then yields, in a loop",
    field("iterations", &engine::Mixed::iterations, "loop turns before each sched_yield"));
template <> inline constexpr auto describe<engine::IoSync> = record<engine::IoSync>("io_sync", "writes to a file, then sleeps, in a loop",
    field("write_size", &engine::IoSync::write_size, "bytes of each write"),
    field("sleep", &engine::IoSync::sleep, "pause after each write"));
template <> inline constexpr auto describe<engine::Bursty> = record<engine::Bursty>("bursty", "burns CPU for a burst, then sleeps",
    field("burst", &engine::Bursty::burst, "length of a burst (wall time)"),
    field("sleep", &engine::Bursty::sleep, "pause after each burst"));
template <> inline constexpr auto describe<engine::PipeIo> = record<engine::PipeIo>("pipe_io", "pairs that spin, then pass a byte over a pipe to each other",
    field("iterations", &engine::PipeIo::iterations, "loop turns before each hand-over"));
template <> inline constexpr auto describe<engine::FutexPingPong> = record<engine::FutexPingPong>("futex_ping_pong", "pairs that spin, then wake each other through a futex",
    field("iterations", &engine::FutexPingPong::iterations, "loop turns before each wake-up"));
template <> inline constexpr auto describe<engine::CachePressure> = record<engine::CachePressure>("cache_pressure", "strides over a buffer, reading and writing",
    field("size", &engine::CachePressure::size, "bytes of the buffer"),
    field("stride", &engine::CachePressure::stride, "bytes between two touches"));
template <> inline constexpr auto describe<engine::CacheYield> = record<engine::CacheYield>("cache_yield", "strides over a buffer, then yields, in a loop",
    field("size", &engine::CacheYield::size, "bytes of the buffer"),
    field("stride", &engine::CacheYield::stride, "bytes between two touches"));
template <> inline constexpr auto describe<engine::CachePipe> = record<engine::CachePipe>("cache_pipe", "pairs that stride over a buffer, then pass a byte over a pipe",
    field("size", &engine::CachePipe::size, "bytes of each worker's buffer"),
    field("iterations", &engine::CachePipe::iterations, "touches before each hand-over"));
template <> inline constexpr auto describe<engine::FutexFanOut> = record<engine::FutexFanOut>("futex_fan_out", "groups of one messenger and n receivers on one futex",
    field("receivers", &engine::FutexFanOut::receivers, "receivers of each group"),
    field("iterations", &engine::FutexFanOut::iterations, "loop turns of the messenger before each wake-up"));
template <> inline constexpr auto describe<engine::SpinPhase> = record<engine::SpinPhase>("spin", "burns CPU", field("duration", &engine::SpinPhase::duration, "length (wall time)"));
template <> inline constexpr auto describe<engine::SleepPhase> = record<engine::SleepPhase>("sleep", "sleeps", field("duration", &engine::SleepPhase::duration, "length (wall time)"));
template <> inline constexpr auto describe<engine::YieldPhase> = record<engine::YieldPhase>("yield", "calls sched_yield", field("duration", &engine::YieldPhase::duration, "length (wall time)"));
template <> inline constexpr auto describe<engine::IoPhase> = record<engine::IoPhase>("io", "writes to a file", field("duration", &engine::IoPhase::duration, "length (wall time)"));
template <> inline constexpr auto describe<engine::Sequence> = record<engine::Sequence>("sequence", "goes through phases in order, over and over",
    field("phases", &engine::Sequence::phases, "spin, sleep, yield and io phases, at least one"));
template <> inline constexpr auto describe<engine::ForkExit> = record<engine::ForkExit>("fork_exit", "forks a child that exits at once, waits for it, in a loop");
template <> inline constexpr auto describe<engine::NiceSweep> = record<engine::NiceSweep>("nice_sweep", "spins and walks through the nice values",
    field("lowest", &engine::NiceSweep::lowest, "first nice value"),
    field("highest", &engine::NiceSweep::highest, "last nice value"),
    field("iterations", &engine::NiceSweep::iterations, "loop turns at each value"));
template <> inline constexpr auto describe<engine::AffinityChurn> = record<engine::AffinityChurn>("affinity_churn", "spins and pins itself to one random allowed CPU after another",
    field("iterations", &engine::AffinityChurn::iterations, "loop turns between two changes"));
template <> inline constexpr auto describe<engine::PolicyChurn> = record<engine::PolicyChurn>("policy_churn", "spins and cycles through the scheduling policies it may use",
    field("iterations", &engine::PolicyChurn::iterations, "loop turns between two changes"));
template <> inline constexpr auto describe<engine::PageFaultChurn> = record<engine::PageFaultChurn>("page_fault_churn", "maps a region, touches random pages, drops it, in a loop",
    field("size", &engine::PageFaultChurn::size, "bytes of the region"),
    field("touches", &engine::PageFaultChurn::touches, "pages touched before the region is dropped"),
    field("spin", &engine::PageFaultChurn::spin, "loop turns between two touches"));
template <> inline constexpr auto describe<engine::MutexContention> = record<engine::MutexContention>("mutex_contention", "groups that fight for one mutex",
    field("contenders", &engine::MutexContention::contenders, "workers of each group"),
    field("hold", &engine::MutexContention::hold, "loop turns with the mutex held"),
    field("work", &engine::MutexContention::work, "loop turns without it"));
// clang-format on
}  // namespace ktstr
