// Metric: one row of the table of what is captured of a thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "introspect/ctprof/thread_record.h"

namespace ktstr::introspect::ctprof {

/// Where a metric is read from. All but taskstats and jemalloc (the thread's own memory) are files of
/// /proc/PID/task/TID.
enum class SourceFile : std::uint8_t { kStat, kSchedstat, kStatus, kSched, kIo, kTaskstats, kJemalloc };

/// How a value is written there.
enum class Decode : std::uint8_t {
  kInteger,
  kDotted,   ///< milliseconds with six decimals (PN_SCHEDSTAT of kernel/sched/debug.c), taken as ns
  kKib,      ///< units of 1024 bytes, taken as bytes
  kLetter,   ///< the first letter
  kPolicy,   ///< a number of uapi/linux/sched.h, taken as its name
  kFlag,     ///< 0 or 1
  kCpuList,  ///< the kernel's list notation
};

/// What the kernel must have been built or booted with.
enum class Gate : std::uint8_t {
  kNone,
  kSchedInfo,
  kSchedstats,
  kSchedExt,
  kSchedCore,
  kTaskIo,
  kCpuDelay,
  kDelays,
  kXacct,
  kJemalloc,
};

/// What is shown together. Metrics of the table are of the first two; the others are computed, or not of
/// threads.
enum class Section : std::uint8_t { kPrimary, kDelays, kDerived, kSmaps, kCgroup, kPressure, kSchedExt };

struct Source {
  SourceFile file{};
  std::string_view key{};   ///< of a line "key: value", or of a struct's member
  std::uint16_t place = 0;  ///< the ordinal (from 1) of a word of a line, or the offset in struct taskstats
  Decode decode{};
  Gate gate{};
};

struct Metric {
  template <class Q>
  using Member = std::optional<Q> ThreadRecord::*;
  using AnyMember = std::variant<Member<MonotonicCount>, Member<MonotonicNs>, Member<ClockTicks>,
                                 Member<Bytes>, Member<PeakNs>, Member<PeakBytes>, Member<GaugeNs>,
                                 Member<GaugeCount>, Member<OrdinalI32>, Member<OrdinalU32>, Member<Category>,
                                 Member<StateLetter>, Member<Flag>, Member<CpuAffinity>>;

  std::string_view name;
  AnyMember member;
  Source source;
  std::string_view doc;

  [[nodiscard]] constexpr Section section() const {
    return source.file == SourceFile::kTaskstats ? Section::kDelays : Section::kPrimary;
  }
  [[nodiscard]] constexpr Kind kind() const {
    return std::visit([]<class Q>(Member<Q>) { return Q::kKind; }, member);
  }
  [[nodiscard]] constexpr Rule rule() const { return rule_of(kind()); }
  /// Whether it only grows, so that its growth is a rate.
  [[nodiscard]] constexpr bool is_counter() const { return rule() <= Rule::kSumBytes; }
};

/// "ns", "bytes", "ticks", "cpus" or "" for a plain number or name.
[[nodiscard]] std::string_view unit_of(Kind kind);
/// Configuration and switches, as a person has to set them; "" when nothing is needed.
[[nodiscard]] std::string_view gate_text(Gate gate);

/// Every metric, in the order of ThreadRecord and of all output.
[[nodiscard]] std::span<const Metric> metrics();
/// The metric of that name, or nullptr.
[[nodiscard]] const Metric* find_metric(std::string_view name);

/// The metrics of one file, found by key or ordinal. Built once, valid for the life of the program.
class SourceIndex {
 public:
  [[nodiscard]] static const SourceIndex& of(SourceFile file);

  [[nodiscard]] std::span<const Metric* const> all() const { return metrics_; }
  /// The metric with this key, or nullptr.
  [[nodiscard]] const Metric* find(std::string_view key) const;

 private:
  explicit SourceIndex(SourceFile file);
  std::vector<const Metric*> metrics_;  ///< by key, then by place
};

}  // namespace ktstr::introspect::ctprof

namespace ktstr {
template <>
inline constexpr auto describe<introspect::ctprof::SourceFile> = [] {
  using enum introspect::ctprof::SourceFile;
  return enumeration<introspect::ctprof::SourceFile>("SourceFile", {{"stat", kStat},
                                                                    {"schedstat", kSchedstat},
                                                                    {"status", kStatus},
                                                                    {"sched", kSched},
                                                                    {"io", kIo},
                                                                    {"taskstats", kTaskstats},
                                                                    {"jemalloc", kJemalloc}});
}();

template <>
inline constexpr auto describe<introspect::ctprof::Section> = [] {
  using enum introspect::ctprof::Section;
  return enumeration<introspect::ctprof::Section>(
      "Section", {{"primary", kPrimary, "threads: scheduling, faults, I/O"},
                  {"delays", kDelays, "threads: taskstats"},
                  {"derived", kDerived, "threads: computed from the others"},
                  {"smaps-rollup", kSmaps, "processes: memory by category"},
                  {"cgroup", kCgroup, "cgroups: counters and limits"},
                  {"pressure", kPressure, "the system: pressure stall information"},
                  {"sched-ext", kSchedExt, "the system: sched_ext"}});
}();
}  // namespace ktstr
