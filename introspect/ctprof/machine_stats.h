// What a capture holds beside threads: cgroups, pressure, sched_ext.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/base/read.h"
#include "introspect/machine/psi_stats.h"

namespace ktstr::introspect::ctprof {

/// A limit of a cgroup: a number, or none ("max").
struct Limit {
  std::optional<std::uint64_t> value{};

  friend bool operator==(const Limit&, const Limit&) = default;
};

/// Pressure files. One that is missing, or that the kernel refuses to read, is absent.
struct Pressure {
  std::optional<PsiResource> cpu;
  std::optional<PsiResource> memory;
  std::optional<PsiResource> io;
  std::optional<PsiResource> irq;

  friend bool operator==(const Pressure&, const Pressure&) = default;
};

struct CgroupCpu {
  std::optional<std::uint64_t> usage_usec;
  std::optional<std::uint64_t> nr_throttled;
  std::optional<std::uint64_t> throttled_usec;
  std::optional<Limit> max_quota_usec;
  std::optional<std::uint64_t> max_period_usec;
  std::optional<std::uint64_t> weight;
  std::optional<std::int32_t> weight_nice;

  friend bool operator==(const CgroupCpu&, const CgroupCpu&) = default;
};

struct CgroupMemory {
  std::optional<std::uint64_t> current;
  std::optional<Limit> max;
  std::optional<Limit> high;
  std::optional<Limit> low;
  std::optional<Limit> min;
  std::optional<std::map<std::string, std::uint64_t>> stat;
  std::optional<std::map<std::string, std::uint64_t>> events;

  friend bool operator==(const CgroupMemory&, const CgroupMemory&) = default;
};

struct CgroupPids {
  std::optional<std::uint64_t> current;
  std::optional<Limit> max;

  friend bool operator==(const CgroupPids&, const CgroupPids&) = default;
};

/// A cgroup's own counters: of everything that ever ran in it and below, so not the sum of its threads.
struct CgroupStats {
  CgroupCpu cpu;
  CgroupMemory memory;
  CgroupPids pids;
  Pressure pressure;

  friend bool operator==(const CgroupStats&, const CgroupStats&) = default;
};

/// /sys/kernel/sched_ext (scx_global_attrs of kernel/sched/ext.c).
struct SchedExtState {
  std::optional<std::string> state;
  std::optional<std::uint64_t> switch_all;
  std::optional<std::uint64_t> nr_rejected;
  std::optional<std::uint64_t> hotplug_seq;
  std::optional<std::uint64_t> enable_seq;

  friend bool operator==(const SchedExtState&, const SchedExtState&) = default;
};

}  // namespace ktstr::introspect::ctprof

namespace ktstr {

/// A number, or the string "max".
template <>
struct CustomWriter<introspect::ctprof::Limit> {
  template <class Sink>
  static void write(Sink& sink, const introspect::ctprof::Limit& limit) {
    if (limit.value)
      sink.Uint64(*limit.value);
    else
      detail::write_string(sink, "max");
  }
};
template <>
struct CustomReader<introspect::ctprof::Limit> {
  static ReadStatus read(const Value& value, introspect::ctprof::Limit& out, const ReadPlace& place,
                         MissingMembers missing);
};

template <>
inline constexpr auto describe<introspect::ctprof::Pressure> = [] {
  using T = introspect::ctprof::Pressure;
  return record<T>("Pressure", "pressure stall information",
                   field("cpu", &T::cpu, "waiting for a CPU (CONFIG_PSI)"),
                   field("memory", &T::memory, "waiting for memory"), field("io", &T::io, "waiting for I/O"),
                   field("irq", &T::irq, "held up by interrupts (CONFIG_IRQ_TIME_ACCOUNTING)"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::CgroupCpu> = [] {
  using T = introspect::ctprof::CgroupCpu;
  return record<T>(
      "CgroupCpu", "the cpu controller", field("usage_usec", &T::usage_usec, "CPU time used, us (cpu.stat)"),
      field("nr_throttled", &T::nr_throttled, "times it ran out of its quota"),
      field("throttled_usec", &T::throttled_usec, "time it was throttled, us"),
      field("max_quota_usec", &T::max_quota_usec, "CPU time allowed each period, us (cpu.max)"),
      field("max_period_usec", &T::max_period_usec, "the period, us"),
      field("weight", &T::weight, "cpu.weight"), field("weight_nice", &T::weight_nice, "cpu.weight.nice"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::CgroupMemory> = [] {
  using T = introspect::ctprof::CgroupMemory;
  return record<T>("CgroupMemory", "the memory controller",
                   field("current", &T::current, "memory used, bytes (memory.current)"),
                   field("max", &T::max, "the hard limit, bytes"),
                   field("high", &T::high, "the soft limit, bytes"),
                   field("low", &T::low, "protected as far as possible, bytes"),
                   field("min", &T::min, "protected always, bytes"),
                   field("stat", &T::stat, "memory.stat, by the kernel's names"),
                   field("events", &T::events, "memory.events, by the kernel's names"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::CgroupPids> = [] {
  using T = introspect::ctprof::CgroupPids;
  return record<T>("CgroupPids", "the pids controller", field("current", &T::current, "tasks (pids.current)"),
                   field("max", &T::max, "the most there may be (pids.max)"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::CgroupStats> = [] {
  using T = introspect::ctprof::CgroupStats;
  return record<T>(
      "CgroupStats", "one cgroup's own counters and limits", field("cpu", &T::cpu, "the cpu controller"),
      field("memory", &T::memory, "the memory controller"), field("pids", &T::pids, "the pids controller"),
      field("pressure", &T::pressure, "pressure stall information of the cgroup"));
}();

template <>
inline constexpr auto describe<introspect::ctprof::SchedExtState> = [] {
  using T = introspect::ctprof::SchedExtState;
  return record<T>(
      "SchedExtState", "sched_ext as a whole",
      field("state", &T::state, "enabling, enabled, disabling or disabled"),
      field("switch_all", &T::switch_all, "1 when every fair task is sched_ext's"),
      field("nr_rejected", &T::nr_rejected, "tasks that the loaded scheduler sent back to the fair class"),
      field("hotplug_seq", &T::hotplug_seq, "grows with every CPU that comes or goes"),
      field("enable_seq", &T::enable_seq,
            "grows with every scheduler that is loaded; nr_rejected begins anew"));
}();

}  // namespace ktstr
