// What the runner asks of the guest agent about the machine that it finds itself on and its kernel, and what
// it answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/cpu_set.h"
#include "engine/base/describe.h"

namespace ktstr::engine::protocol {

/// The answer to a request that only asks to be carried out.
struct Done {
  static consteval auto describe() { return record<Done>("done", "the request was carried out"); }
};

struct FoundTopology {
  CpuSet possible;
  CpuSet online;
  std::optional<std::vector<CpuSet>> llcs;
  std::optional<std::vector<CpuSet>> nodes;

  static consteval auto describe() {
    using T = FoundTopology;
    return record(
        "found_topology", "CPUs, caches and nodes as the guest's kernel shows them",
        field<&T::possible>("CPUs that could be online"), field<&T::online>("CPUs that are online"),
        field<&T::llcs>("online CPUs that share a last-level cache; absent where the kernel shows no caches"),
        field<&T::nodes>("online CPUs of each NUMA node, empty for one of memory only; absent where the "
                         "kernel shows no nodes"));
  }
};
struct FindTopology {
  using Answer = FoundTopology;

  static consteval auto describe() {
    return record<FindTopology>("find_topology", "asks what the guest's kernel made of its machine");
  }
};

/// How much entropy a Refresh holds: the size of the kernel's key at least, twice that at most.
inline constexpr std::size_t kMinEntropyBytes = 32;
inline constexpr std::size_t kMaxEntropyBytes = 64;

/// Makes the guest's random numbers its own and sets its CLOCK_REALTIME. Of forks of one snapshot, each is
/// given other entropy. Answered by Done. Only a guest's agent takes it: one on a bare host does not own the
/// kernel.
struct Refresh {
  using Answer = Done;

  std::vector<std::uint8_t> entropy;
  std::uint64_t realtime_ns = 0;

  static consteval auto describe() {
    using T = Refresh;
    return record("refresh", "re-seeds the kernel's random numbers and sets its clock",
                  field<&T::entropy>("random bytes, 32 to 64"),
                  field<&T::realtime_ns>("CLOCK_REALTIME from now on, ns since 1970"));
  }
};

/// The switches as they were read afterwards. Absent: the kernel has no such switch.
struct StatisticsSwitches {
  std::optional<bool> bpf_programs;
  std::optional<bool> schedstats;

  static consteval auto describe() {
    using T = StatisticsSwitches;
    return record("statistics_switches", "which optional statistics the kernel keeps",
                  field<&T::bpf_programs>("kernel.bpf_stats_enabled"),
                  field<&T::schedstats>("kernel.sched_schedstats"));
  }
};
/// Switches kernel.bpf_stats_enabled and kernel.sched_schedstats on, or leaves both as they are. An agent on
/// a bare host leaves them in any case. Answered by StatisticsSwitches.
struct SetStatistics {
  using Answer = StatisticsSwitches;

  bool on = true;

  static consteval auto describe() {
    return record("set_statistics", "switches the kernel's optional statistics on",
                  field<&SetStatistics::on>("false: they are left as they are"));
  }
};

// BPF maps: their contents the runner reads by itself, from outside.

/// Holds the map with this id until the session ends. Once more is no error. Answered by Done.
struct PinBpfMap {
  using Answer = Done;

  std::uint32_t id = 0;

  static consteval auto describe() {
    return record("pin_bpf_map", "keeps a BPF map alive until the session ends",
                  field<&PinBpfMap::id>("the kernel's id of the map"));
  }
};

// Profiles of the guest's threads: a capture is a file of docs/formats/ctprof.md; it comes in parts, since a
// frame has a limit.

/// A capture that is larger compressed is an error of the agent's; the runner takes none. Some 200 000
/// threads.
inline constexpr std::uint64_t kMaxCaptureBytes = 64U << 20;
/// The most bytes of a capture in one message.
inline constexpr std::size_t kMaxCapturePartBytes = 1U << 20;

struct Captured {
  std::uint64_t bytes = 0;

  static consteval auto describe() {
    return record("captured", "a capture is there to be read",
                  field<&Captured::bytes>("its size, compressed"));
  }
};
/// Captures every thread of the guest. The agent keeps the capture until the next one. Answered by Captured;
/// failed with kOutOfRange above kMaxCaptureBytes.
struct CaptureThreads {
  using Answer = Captured;

  static consteval auto describe() {
    return record<CaptureThreads>("capture_threads", "captures a profile of every thread");
  }
};
/// Full, but for the last one.
struct CapturePart {
  std::string base64;

  static consteval auto describe() {
    return record("capture_part", "bytes of a capture",
                  field<&CapturePart::base64>("at most 1 MiB of them, in base64"));
  }
};
/// Asks for the next bytes of the last capture. Answered by CapturePart; failed with kOutOfRange when there
/// are none from `offset` on.
struct ReadCapture {
  using Answer = CapturePart;

  std::uint64_t offset = 0;

  static consteval auto describe() {
    return record("read_capture", "asks for a part of the last capture",
                  field<&ReadCapture::offset>("where the part begins, bytes"));
  }
};

}  // namespace ktstr::engine::protocol
