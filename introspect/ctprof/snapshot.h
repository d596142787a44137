// Snapshot: one capture, as it is kept in a file (docs/formats/ctprof.md), and a thread's JSON in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/format_version.h"
#include "engine/base/read.h"
#include "introspect/ctprof/host_context.h"
#include "introspect/ctprof/machine_stats.h"
#include "introspect/ctprof/metrics.h"
#include "introspect/ctprof/summaries.h"

namespace ktstr::introspect::ctprof {

template <class Sink, class Q>
void write_quantity(Sink& sink, const std::optional<Q>& quantity) {
  if (!quantity)
    sink.Null();
  else if constexpr (std::same_as<typename Q::Representation, char>)
    ktstr::detail::write_string(sink, std::string_view(&quantity->value, 1));
  else
    write(sink, quantity->value);
}

template <class Sink, class T>
void write_member(Sink& sink, std::string_view name, const T& value) {
  ktstr::detail::write_key(sink, name);
  write(sink, value);
}

}  // namespace ktstr::introspect::ctprof

namespace ktstr {

/// An object with the identity, a member for each metric (null when absent), and smaps_rollup_kib.
template <>
struct CustomWriter<introspect::ctprof::ThreadRecord> {
  template <class Sink>
  static void write(Sink& sink, const introspect::ctprof::ThreadRecord& record) {
    using namespace introspect::ctprof;
    sink.StartObject();
    write_member(sink, "tid", record.tid);
    write_member(sink, "tgid", record.tgid);
    write_member(sink, "pcomm", record.pcomm);
    write_member(sink, "comm", record.comm);
    write_member(sink, "cgroup", record.cgroup);
    write_member(sink, "start_time_clock_ticks", record.start_time_clock_ticks);
    for (const auto& metric : metrics()) {
      ktstr::detail::write_key(sink, metric.name);
      std::visit([&](auto member) { write_quantity(sink, record.*member); }, metric.member);
    }
    write_member(sink, "smaps_rollup_kib", record.smaps_rollup_kib);
    sink.EndObject(static_cast<rapidjson::SizeType>(metrics().size() + 7));
  }
};

template <>
struct CustomReader<introspect::ctprof::ThreadRecord> {
  static ReadStatus read(const Value& value, introspect::ctprof::ThreadRecord& out, const ReadPlace& place,
                         MissingMembers missing);
};

}  // namespace ktstr

namespace ktstr::introspect::ctprof {

inline constexpr std::string_view kFormatName = "ktstr-ctprof";
inline constexpr FormatVersion kFormat{1, 1};  ///< files without a minor version are 1.0

struct Snapshot {
  std::string format{kFormatName};
  std::uint32_t version = kFormat.major;
  std::uint32_t version_minor = kFormat.minor;
  std::uint64_t captured_at_unix_ns = 0;
  std::optional<std::uint64_t> captured_at_boot_ns;
  std::optional<std::uint32_t> capturer_tgid;
  HostContext host;
  std::vector<ThreadRecord> threads;
  std::map<std::string, CgroupStats> cgroup_stats;
  Pressure pressure;
  std::optional<SchedExtState> sched_ext;
  std::optional<ParseSummary> parse_summary;
  std::optional<TaskstatsSummary> taskstats_summary;
  std::optional<ProbeSummary> probe_summary;

  friend bool operator==(const Snapshot&, const Snapshot&) = default;

  static consteval auto describe() {
    using T = Snapshot;
    return record("every thread of a machine, or of one process, at one moment",
                  field<&T::format>("\"ktstr-ctprof\""),
                  field<&T::version>("1, the major version of the format"),
                  field<&T::version_minor>("its minor version: what a reader may leave out"),
                  field<&T::captured_at_unix_ns>("when it began, ns since 1970"),
                  field<&T::captured_at_boot_ns>("when it began, ns since boot"),
                  field<&T::capturer_tgid>("the process that captured, whose work this was"),
                  field<&T::host>("the machine and its kernel"),
                  field<&T::threads>("ascending by process and thread id"),
                  field<&T::cgroup_stats>("of every cgroup that a thread was in, by path"),
                  field<&T::pressure>("pressure stall information of the whole system"),
                  field<&T::sched_ext>("sched_ext as a whole; null without CONFIG_SCHED_CLASS_EXT"),
                  field<&T::parse_summary>("files that could not be read"),
                  field<&T::taskstats_summary>("answers over generic netlink; null when nothing was asked"),
                  field<&T::probe_summary>("the probe of jemalloc's counters; null when it was not made"));
  }
};

/// Whether it is a thread of the process that captured.
[[nodiscard]] inline bool is_capturer(const Snapshot& snapshot, const ThreadRecord& thread) {
  return snapshot.capturer_tgid == thread.tgid;
}

}  // namespace ktstr::introspect::ctprof
