// How the probe of jemalloc's per-thread counters went.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Files of tasks that could not be read. Threads that were gone before anything of theirs was read count as
/// walked and nowhere else.
struct ParseSummary {
  std::uint64_t tids_walked = 0;
  std::uint64_t read_failures = 0;
  std::map<std::string, std::uint64_t> read_failures_by_file;
  std::map<std::string, std::uint64_t> read_failures_by_error;
  std::optional<std::string> dominant_read_failure;
  bool kernel_config_dominant = false;
  bool permission_dominant = false;
  std::uint64_t negative_dotted_values = 0;

  friend bool operator==(const ParseSummary&, const ParseSummary&) = default;

  static consteval auto describe() {
    using T = ParseSummary;
    return record(
        "files of tasks that could not be read",
        field<&T::tids_walked>("threads that were looked at, those just gone included"),
        field<&T::read_failures>("files that could not be read"),
        field<&T::read_failures_by_file>("the same by the file's name"),
        field<&T::read_failures_by_error>("the same by errno's name"),
        field<&T::dominant_read_failure>("the file that failed most often"),
        field<&T::kernel_config_dominant>(
            "half of the failures or more are files that the kernel was built without"),
        field<&T::permission_dominant>("half of the failures or more are due to missing privileges"),
        field<&T::negative_dotted_values>(
            "times that read as negative, which a clock that was set back leaves; they are null"));
  }
};

/// How questions about threads over generic netlink were answered.
struct TaskstatsSummary {
  std::uint64_t ok_count = 0;
  std::uint64_t eperm_count = 0;
  std::uint64_t esrch_count = 0;
  std::uint64_t other_count = 0;
  std::optional<std::string> unavailable;

  friend bool operator==(const TaskstatsSummary&, const TaskstatsSummary&) = default;

  static consteval auto describe() {
    using T = TaskstatsSummary;
    return record(
        "answers about threads over generic netlink", field<&T::ok_count>("threads that were answered for"),
        field<&T::eperm_count>("refused: CAP_NET_ADMIN is missing"),
        field<&T::esrch_count>("gone before the question came"), field<&T::other_count>("failed otherwise"),
        field<&T::unavailable>("why nothing could be asked at all"));
  }
};

/// Counts failures of one thread's files apart until it is known whether the thread was there at all.
class ParseTally {
 public:
  void walked() { ++walked_; }
  /// `file` must outlive the tally.
  void failed(std::string_view file, int error) { pending_.push_back({file, error}); }
  void negative(std::uint64_t count) { pending_negative_ += count; }
  /// The thread is in the capture: what failed counts.
  void commit();
  /// It is not: nothing does.
  void discard();

  /// Adds another worker's counts; nothing may be pending.
  void add(const ParseTally& other);
  [[nodiscard]] ParseSummary summary() const;

 private:
  struct Failure {
    std::string_view file;
    int error;
    friend auto operator<=>(const Failure&, const Failure&) = default;
  };

  std::uint64_t walked_ = 0;
  std::map<Failure, std::uint64_t> failures_;
  std::uint64_t negative_ = 0;
  std::vector<Failure> pending_;
  std::uint64_t pending_negative_ = 0;
};

/// The name with the greatest count; of several, the first in the alphabet.
[[nodiscard]] std::optional<std::string> dominant(const std::map<std::string, std::uint64_t>& counts);

/// Whether the part is half of the total or more; of nothing it is not.
[[nodiscard]] bool dominates(std::uint64_t part, std::uint64_t total);

/// What to do about missing values, a sentence each; empty when nothing stands out.
[[nodiscard]] std::vector<std::string> hints(const std::optional<ParseSummary>& parse,
                                             const std::optional<TaskstatsSummary>& taskstats,
                                             const std::optional<ProbeSummary>& probe);

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
