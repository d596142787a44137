// How the probe of jemalloc's per-thread counters went.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/base/describe.h"

namespace ktstr::introspect::ctprof {

/// Why a process or a thread of it has no counters. The first four are how things usually are; all others can
/// be helped.
enum class ProbeFailure : std::uint8_t {
  kNotJemalloc,
  kGone,
  kRefused,
  kFileChanged,
  kMaps,
  kElf,
  kArchitecture,
  kTls,
  kDwarfMissing,
  kDwarf,
  kSeize,
  kInterrupt,
  kStop,
  kRegisters,
  kMemory,
  kStopTooLong,
  kProbeDied,
  kNotProbed,
};

/// Whether something can be done about it: then it counts as failed.
[[nodiscard]] constexpr bool is_actionable(ProbeFailure failure) {
  return failure > ProbeFailure::kFileChanged;
}

struct ProbeSummary {
  std::uint64_t tgids_walked = 0;
  std::uint64_t jemalloc_detected = 0;
  std::uint64_t probed_ok = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> outcomes_without_counters;
  std::optional<std::string> dominant_failure;
  bool privilege_dominant = false;
  std::optional<std::uint64_t> longest_stop_ns;

  friend bool operator==(const ProbeSummary&, const ProbeSummary&) = default;

  static consteval auto describe() {
    using T = ProbeSummary;
    return record(
        "the probe of jemalloc's per-thread counters",
        field<&T::tgids_walked>("processes that were looked at, all but this one"),
        field<&T::jemalloc_detected>("those that run a jemalloc whose counters were found"),
        field<&T::probed_ok>("threads whose counters were read"),
        field<&T::failed>("processes and threads that failed in a way that can be helped"),
        field<&T::outcomes_without_counters>("processes and threads without counters, by the reason"),
        field<&T::dominant_failure>("the reason that failed most often"),
        field<&T::privilege_dominant>("half of the failures or more are refusals to attach or to stop"),
        field<&T::longest_stop_ns>(
            "the longest time that a thread was seen stopped, ns; null when none was"));
  }
};

/// Counts what came of processes and threads.
class ProbeTally {
 public:
  void walked() { ++summary_.tgids_walked; }
  void detected() { ++summary_.jemalloc_detected; }
  void read() { ++summary_.probed_ok; }
  void failed(ProbeFailure failure) { ++failures_[failure]; }
  void stopped_for(std::uint64_t ns) { summary_.longest_stop_ns = ns; }

  [[nodiscard]] ProbeSummary summary() const;

 private:
  ProbeSummary summary_;
  std::map<ProbeFailure, std::uint64_t> failures_;
};

}  // namespace ktstr::introspect::ctprof

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ctprof::ProbeFailure> = [] {
  using enum introspect::ctprof::ProbeFailure;
  return enumeration<introspect::ctprof::ProbeFailure>(
      "ProbeFailure",
      {{"jemalloc-not-found", kNotJemalloc, "no file of the process defines jemalloc's thread data"},
       {"process-gone", kGone, "it ended meanwhile, or is a kernel thread"},
       {"maps-refused", kRefused, "what it has mapped may not be seen, so nothing is known of it"},
       {"file-changed", kFileChanged, "a file it has mapped is not at its path any more"},
       {"maps-read-failure", kMaps, "what it has mapped could not be read"},
       {"elf-parse-failure", kElf, "a file that it runs is damaged"},
       {"arch-mismatch", kArchitecture, "it is not x86-64 code"},
       {"tls-unresolved", kTls, "its file does not tell where thread-local variables lie"},
       {"dwarf-missing", kDwarfMissing, "jemalloc was stripped: install its debug symbols"},
       {"dwarf-parse-failure", kDwarf, "its debug information describes other thread data"},
       {"ptrace-seize", kSeize, "it could not be attached to"},
       {"ptrace-interrupt", kInterrupt, "it could not be stopped"},
       {"stop-timeout", kStop, "the thread did not stop in time"},
       {"get-registers", kRegisters, "the thread's registers could not be read"},
       {"process-vm-readv", kMemory, "its memory could not be read"},
       {"stop-too-long", kStopTooLong,
        "reading it took so long that it was let go: a thread is stopped for 1 ms at most"},
       {"probe-died", kProbeDied, "reading its files took too long, too much memory, or failed badly"},
       {"not-probed", kNotProbed, "the process that reads could not be started, or had died too often"}});
}();

}  // namespace ktstr
