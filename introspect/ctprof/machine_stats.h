// What a capture holds beside threads: cgroups, pressure, sched_ext; and reading it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "engine/base/describe.h"
#include "engine/base/read.h"
#include "introspect/machine/stats.h"

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

  static consteval auto describe() {
    using T = Pressure;
    return record("pressure stall information", field<&T::cpu>("waiting for a CPU (CONFIG_PSI)"),
                  field<&T::memory>("waiting for memory"), field<&T::io>("waiting for I/O"),
                  field<&T::irq>("held up by interrupts (CONFIG_IRQ_TIME_ACCOUNTING)"));
  }
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

  static consteval auto describe() {
    using T = CgroupCpu;
    return record("the cpu controller", field<&T::usage_usec>("CPU time used, us (cpu.stat)"),
                  field<&T::nr_throttled>("times it ran out of its quota"),
                  field<&T::throttled_usec>("time it was throttled, us"),
                  field<&T::max_quota_usec>("CPU time allowed each period, us (cpu.max)"),
                  field<&T::max_period_usec>("the period, us"), field<&T::weight>("cpu.weight"),
                  field<&T::weight_nice>("cpu.weight.nice"));
  }
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

  static consteval auto describe() {
    using T = CgroupMemory;
    return record("the memory controller", field<&T::current>("memory used, bytes (memory.current)"),
                  field<&T::max>("the hard limit, bytes"), field<&T::high>("the soft limit, bytes"),
                  field<&T::low>("protected as far as possible, bytes"),
                  field<&T::min>("protected always, bytes"),
                  field<&T::stat>("memory.stat, by the kernel's names"),
                  field<&T::events>("memory.events, by the kernel's names"));
  }
};

struct CgroupPids {
  std::optional<std::uint64_t> current;
  std::optional<Limit> max;

  friend bool operator==(const CgroupPids&, const CgroupPids&) = default;

  static consteval auto describe() {
    using T = CgroupPids;
    return record("the pids controller", field<&T::current>("tasks (pids.current)"),
                  field<&T::max>("the most there may be (pids.max)"));
  }
};

/// A cgroup's own counters: of everything that ever ran in it and below, so not the sum of its threads.
struct CgroupStats {
  CgroupCpu cpu;
  CgroupMemory memory;
  CgroupPids pids;
  Pressure pressure;

  friend bool operator==(const CgroupStats&, const CgroupStats&) = default;

  static consteval auto describe() {
    using T = CgroupStats;
    return record("one cgroup's own counters and limits", field<&T::cpu>("the cpu controller"),
                  field<&T::memory>("the memory controller"), field<&T::pids>("the pids controller"),
                  field<&T::pressure>("pressure stall information of the cgroup"));
  }
};

/// /sys/kernel/sched_ext (scx_global_attrs of kernel/sched/ext.c).
struct SchedExtState {
  std::optional<std::string> state;
  std::optional<std::uint64_t> switch_all;
  std::optional<std::uint64_t> nr_rejected;
  std::optional<std::uint64_t> hotplug_seq;
  std::optional<std::uint64_t> enable_seq;

  friend bool operator==(const SchedExtState&, const SchedExtState&) = default;

  static consteval auto describe() {
    using T = SchedExtState;
    return record(
        "sched_ext as a whole", field<&T::state>("enabling, enabled, disabling or disabled"),
        field<&T::switch_all>("1 when every fair task is sched_ext's"),
        field<&T::nr_rejected>("tasks that the loaded scheduler sent back to the fair class"),
        field<&T::hotplug_seq>("grows with every CPU that comes or goes"),
        field<&T::enable_seq>("grows with every scheduler that is loaded; nr_rejected begins anew"));
  }
};

/// A cgroup ("/a/b") of the v2 hierarchy below `root`; each of its files that is missing leaves its members
/// absent. The hierarchy's own root has the system's pressure.
[[nodiscard]] CgroupStats read_cgroup_stats(const std::filesystem::path& root, const std::string& cgroup);

/// /proc/pressure. The kernel writes the system's cpu.full as zeros, without a meaning: it is absent.
[[nodiscard]] Pressure read_system_pressure(const std::filesystem::path& proc);

/// Nothing without `sys`/kernel/sched_ext.
[[nodiscard]] std::optional<SchedExtState> read_sched_ext(const std::filesystem::path& sys);

/// Below `sys`, where the v2 hierarchy is mounted: fs/cgroup, or fs/cgroup/unified beside the old
/// hierarchies.
[[nodiscard]] std::filesystem::path find_cgroup_root(const std::filesystem::path& sys);

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
                         MissingMembers) {
    const auto* text = value.get_if<std::string>();
    if (text && *text == "max") {
      out.value.reset();
      return {};
    }
    std::uint64_t number = 0;
    if (auto error = detail::read_integer(value, number, place)) return error;
    out.value = number;
    return {};
  }
};

}  // namespace ktstr
